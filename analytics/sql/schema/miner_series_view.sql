-- The view miner_<series> of each of the log's nine series; $series is its column of miner_series.
CREATE OR REPLACE VIEW miner_$series AS
SELECT
    run_id,
    segment,
    step,
    uid,
    hotkey,
    CASE WHEN NOT isnan($series) THEN $series END AS value,
    challenge_id
FROM miner_series
WHERE $series IS NOT NULL;
