-- One row a finished replay of a candidate.
CREATE TABLE IF NOT EXISTS replay_runs (
    run_id VARCHAR PRIMARY KEY,
    model VARCHAR NOT NULL,
    uses_metadata BOOLEAN NOT NULL,  -- false: image-only, the main result
    finished TIMESTAMP NOT NULL,     -- UTC
    selected BIGINT NOT NULL,        -- challenges that the replay was asked for
    predicted BIGINT NOT NULL,       -- challenges with a probability
    settings VARCHAR NOT NULL        -- run.json of the run folder
);
