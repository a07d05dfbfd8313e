CREATE OR REPLACE VIEW miner_predictions AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(predictions) THEN predictions END AS value,
    challenge_id
FROM miner_series
WHERE predictions IS NOT NULL;
