CREATE OR REPLACE VIEW miner_auc AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan(auc) THEN auc END AS value,
    challenge_id
FROM miner_series
WHERE auc IS NOT NULL;
