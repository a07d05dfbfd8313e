-- One row a challenge x slot: an answer of one miner and the numbers logged beside it.
CREATE TABLE IF NOT EXISTS responses (
    challenge_id VARCHAR NOT NULL,
    slot SMALLINT NOT NULL,   -- 0-based index in the record; a uid can be asked twice
    uid INTEGER NOT NULL,
    hotkey VARCHAR NOT NULL,  -- a miner is a (uid, hotkey) pair
    prediction DOUBLE,        -- as logged: -1 = no answer; NULL = NaN or infinite
    reward DOUBLE,
    accuracy DOUBLE,          -- metrics over the miner's last 100; NULL where not logged
    precision DOUBLE,
    recall DOUBLE,
    f1_score DOUBLE,
    mcc DOUBLE,
    auc DOUBLE,
    model_url VARCHAR,        -- E4..E6 only
    score FLOAT,              -- of the uid in media.scores; NaN = not finite; NULL = not logged
    asked_again BOOLEAN NOT NULL DEFAULT false  -- true: the uid has a later answer in the record,
                                                -- which is the one that series hold
);
