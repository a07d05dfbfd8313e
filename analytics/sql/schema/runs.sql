-- One row a W&B run file and segment. A run that was resumed stands in several files, a copied one
-- too; a downloaded folder may hold several segments.
CREATE TABLE IF NOT EXISTS runs (
    run_id VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    segment BIGINT NOT NULL,    -- 0-based: a run whose steps begin again does so in a new segment
    name VARCHAR,               -- `validator-<uid>-<version>`
    project VARCHAR,
    config VARCHAR NOT NULL,    -- JSON: the operator's settings
    started TIMESTAMP,          -- UTC
    finished BOOLEAN NOT NULL,  -- false: still being written, or cut off
    exit_code INTEGER,
    steps BIGINT NOT NULL,      -- history rows in the transaction log
    first_step BIGINT,          -- of its challenges and history rows; NULL where it has none
    last_step BIGINT,
    validator_uid INTEGER,      -- from here on from the config, as the validator wrote it;
    hotkey VARCHAR,             -- NULL where it holds none
    version VARCHAR,
    netuid INTEGER,             -- the subnet
    alpha DOUBLE,               -- weight of the newest reward in the scores
    sample_size INTEGER,        -- miners that a challenge is sent to
    type VARCHAR,
    signature VARCHAR NOT NULL  -- proved: the hotkey signed the run's id, so that the run of this id
                                -- is its own. Id and signature are public: in files from elsewhere
                                -- than the service it proves nothing of the numbers beside it.
                                -- absent; false: another's; unchecked: the id is not known, or no
                                -- library here can check it
);
