-- The weights of the last `weights`, in place of those before, from the table weighted_rows.
DELETE FROM sample_weights;

INSERT INTO sample_weights
SELECT source, row, weight, gps, slices, difficulty, balance, nulls, gates
FROM weighted_rows
ORDER BY source, row;
