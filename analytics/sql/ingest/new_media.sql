-- The rows of new challenges: what was staged of them, and the rest, which is read once, in order.
INSERT INTO media BY NAME
SELECT
    staged.* EXCLUDE (seq),
    new.challenge_id,
    new.file,
    new.position,
    coalesce(named.run_id, new.run_id) AS run_id,
    coalesce(named.segment, new.segment) AS segment,
    coalesce(named.step, new.step) AS step,
    -- never that of a copy in another run
    coalesce(named.time, CASE WHEN new.run_id IS NULL OR new.run_id = named.run_id THEN new.time END)
        AS time,
    coalesce(named.era, new.era) AS era,
    coalesce(named.era_candidates, new.era_candidates) AS era_candidates,
    coalesce(named.era_evidence, new.era_evidence) AS era_evidence
FROM staged_media AS staged
INNER JOIN stage_new AS new USING (seq)
LEFT JOIN stage_named AS named USING (challenge_id);
