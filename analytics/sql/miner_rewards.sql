CREATE OR REPLACE VIEW miner_rewards AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(rewards) THEN rewards END AS value,
    challenge_id
FROM miner_series
WHERE rewards IS NOT NULL;
