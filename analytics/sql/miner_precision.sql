CREATE OR REPLACE VIEW miner_precision AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(precision) THEN precision END AS value,
    challenge_id
FROM miner_series
WHERE precision IS NOT NULL;
