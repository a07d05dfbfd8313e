-- The log's own series, wide: one row a challenge x uid. A uid asked twice has its last answer here.
-- NULL = the log has no such key; NaN = logged as not finite. The nine views miner_<series> read it.
CREATE TABLE IF NOT EXISTS miner_series (
    challenge_id VARCHAR,     -- NULL where the run's media file is missing
    run_id VARCHAR,
    segment BIGINT,           -- of the run, see media; NULL where no run is known
    step BIGINT,
    uid INTEGER NOT NULL,
    hotkey VARCHAR,
    logged BOOLEAN NOT NULL,  -- true: from a run's history; false: taken from the Media record
    predictions DOUBLE,
    rewards DOUBLE,
    scores DOUBLE,
    accuracy DOUBLE,
    auc DOUBLE,
    f1_score DOUBLE,
    mcc DOUBLE,
    precision DOUBLE,
    recall DOUBLE
);
