-- What an ingest did; `changed` is false where a second reading found nothing new.
SELECT
    (SELECT count(*) FROM stage_media) AS challenges_read,
    (SELECT count(*) FROM stage_new) AS challenges_new,
    (SELECT count(*) FROM stage_renamed) AS challenges_named,
    (
        SELECT count(*) FROM (SELECT DISTINCT run_id, segment, step FROM stage_logged)
    ) AS series_steps_new,
    (SELECT count(*) FROM stage_runs) AS runs,
    (
        EXISTS (FROM stage_new)
        OR EXISTS (FROM stage_moved)
        OR EXISTS (FROM stage_renamed)
        OR EXISTS (FROM stage_logged)
        OR EXISTS (FROM stage_rejects EXCEPT ALL FROM stage_rejects_before)
        OR EXISTS (FROM stage_rejects_before EXCEPT ALL FROM stage_rejects)
        OR EXISTS (FROM stage_runs EXCEPT ALL FROM stage_runs_before)
    ) AS changed;
