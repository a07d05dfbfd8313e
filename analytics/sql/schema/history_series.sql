-- The series of runs' histories, wide: one row a step x uid. NULL = the history has no such key;
-- NaN = logged as not finite. The view miner_series adds those that only Media records hold.
CREATE TABLE IF NOT EXISTS history_series (
    challenge_id VARCHAR,     -- NULL where the run's media file is missing
    run_id VARCHAR,
    segment BIGINT,           -- of the run, see media
    step BIGINT,
    uid INTEGER NOT NULL,
    hotkey VARCHAR,
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
