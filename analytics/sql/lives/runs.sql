-- Who each segment of a run says that its validator is, and, with segment NULL, the whole run; nobody
-- where files disagree, and nobody where the run is not signed by the hotkey that it names
-- (run_signatures.sql). A run that is named by its folder may be runs of two validators.
SELECT
    run_id,
    segment,
    CASE WHEN count(DISTINCT believed) = 1 THEN min(believed) END AS hotkey,
    CASE
        WHEN count(DISTINCT believed) <= 1
            THEN max(validator_uid) FILTER (WHERE is_believed)
    END AS validator_uid,
    bool_or(is_own_id(run_id, file)) AS has_id
FROM (SELECT *, CASE WHEN is_believed THEN hotkey END AS believed FROM believed_runs())
GROUP BY GROUPING SETS ((run_id, segment), (run_id));
