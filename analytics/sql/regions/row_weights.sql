-- The weight of every source row that `streetreplay weights` last weighed.
SELECT source, row, weight
FROM sample_weights
ORDER BY source, row;
