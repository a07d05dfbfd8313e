-- One row a challenge of a replay, also those without a prediction, which say why.
CREATE TABLE IF NOT EXISTS replay_predictions (
    run_id VARCHAR NOT NULL,
    challenge_id VARCHAR NOT NULL,
    probability DOUBLE,        -- of roadwork; NULL where the image could not be rebuilt
    spread DOUBLE,             -- standard deviation over the possible images; 0 where exact
    fidelity VARCHAR NOT NULL, -- exact, distribution, impossible
    reason VARCHAR             -- why there is no prediction
);
