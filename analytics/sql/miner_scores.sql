CREATE OR REPLACE VIEW miner_scores AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(scores) THEN scores END AS value,
    challenge_id
FROM miner_series
WHERE scores IS NOT NULL;
