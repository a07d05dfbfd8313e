-- Who each run's config says that its validator is; nobody where two files of a run disagree.
SELECT
    run_id,
    CASE WHEN count(DISTINCT hotkey) = 1 THEN min(hotkey) END AS hotkey,
    max(validator_uid) AS validator_uid
FROM runs
GROUP BY run_id;
