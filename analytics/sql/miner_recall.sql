CREATE OR REPLACE VIEW miner_recall AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(recall) THEN recall END AS value,
    challenge_id
FROM miner_series
WHERE recall IS NOT NULL;
