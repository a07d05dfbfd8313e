-- One row an image of a replay: the possible images of a challenge, with their probabilities.
CREATE TABLE IF NOT EXISTS replay_variants (
    run_id VARCHAR NOT NULL,
    challenge_id VARCHAR NOT NULL,
    variant SMALLINT NOT NULL,   -- 0 where exact; else its index among all combinations
    weight DOUBLE NOT NULL,      -- sums to 1 over a challenge
    noisy BOOLEAN NOT NULL,      -- true: holds simulated noise
    probability DOUBLE NOT NULL  -- of roadwork
);
