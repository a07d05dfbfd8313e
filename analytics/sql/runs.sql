-- One row a W&B run file. A run resumed after a crash may stand in two files.
CREATE TABLE IF NOT EXISTS runs (
    run_id VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    name VARCHAR,
    project VARCHAR,
    config VARCHAR NOT NULL,    -- JSON: the operator's settings
    started TIMESTAMP,          -- UTC
    finished BOOLEAN NOT NULL,  -- false: still being written, or cut off
    exit_code INTEGER,
    steps BIGINT NOT NULL       -- history rows in the transaction log
);
