CREATE OR REPLACE VIEW miner_f1_score AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(f1_score) THEN f1_score END AS value,
    challenge_id
FROM miner_series
WHERE f1_score IS NOT NULL;
