-- One row a view of a challenge: how open the model's gate was, the mean over possible images.
CREATE TABLE IF NOT EXISTS replay_gates (
    run_id VARCHAR NOT NULL,
    challenge_id VARCHAR NOT NULL,
    view SMALLINT NOT NULL,  -- 1 to 12: global, 3 x 3 grid by rows, centre, right side
    gate DOUBLE NOT NULL     -- 0 to 1, weighted by the images' probabilities
);
