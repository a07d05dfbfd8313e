-- One row a challenge of a replay, also those without a prediction, which say why.
CREATE TABLE IF NOT EXISTS replay_predictions (
    run_id VARCHAR NOT NULL,
    challenge_id VARCHAR NOT NULL,
    probability DOUBLE,        -- of roadwork, mean over the possible images; NULL: no image
    spread DOUBLE,             -- standard deviation over the possible images; 0 where exact
    positive_share DOUBLE,     -- probability of the images whose answer rounds to roadwork
    fidelity VARCHAR NOT NULL, -- exact, distribution, impossible
    reason VARCHAR,            -- why there is no prediction
    images INTEGER NOT NULL,   -- possible images that were asked about
    noisy INTEGER NOT NULL     -- of these with simulated noise
);
