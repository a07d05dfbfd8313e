CREATE OR REPLACE VIEW miner_accuracy AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(accuracy) THEN accuracy END AS value,
    challenge_id
FROM miner_series
WHERE accuracy IS NOT NULL;
