CREATE OR REPLACE VIEW miner_mcc AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(mcc) THEN mcc END AS value,
    challenge_id
FROM miner_series
WHERE mcc IS NOT NULL;
