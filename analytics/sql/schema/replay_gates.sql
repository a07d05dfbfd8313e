-- One row a view of a challenge: how open the model's gate was, and the view's part of the fusion.
-- Both are means over the possible images, weighted by their probabilities; `share` is the mean of
-- each image's own shares. Compare views and models by `share`: gates have no scale, halving all of
-- an image's leaves the fusion as it was.
CREATE TABLE IF NOT EXISTS replay_gates (
    run_id VARCHAR NOT NULL,
    challenge_id VARCHAR NOT NULL,
    view SMALLINT NOT NULL,  -- 1 to 12: global, 3 x 3 grid by rows, centre, right side
    gate DOUBLE NOT NULL,    -- 0 to 1
    share DOUBLE NOT NULL    -- gate / sum of an image's gates; 0 for an image whose gates are all 0
);
