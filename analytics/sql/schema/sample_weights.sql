-- One row a source row, by the last `weights`. The weight is the product of the factors, clipped,
-- with a mean of 1; a factor of 1 changes nothing.
CREATE TABLE IF NOT EXISTS sample_weights (
    source VARCHAR NOT NULL,      -- file name of the shard
    row BIGINT NOT NULL,          -- 0-based row of the shard
    weight DOUBLE NOT NULL,       -- training draws the row in proportion to it
    gps DOUBLE NOT NULL,          -- by the distance to the nearest target place
    slices DOUBLE NOT NULL,       -- more where the candidate loses reward
    difficulty DOUBLE NOT NULL,   -- more for what miners find hard, less for doubtful labels
    balance DOUBLE NOT NULL,      -- both labels alike
    nulls DOUBLE NOT NULL,        -- both labels alike within a NULL pattern
    gates DOUBLE NOT NULL         -- more where the model looks elsewhere when it is wrong
);
