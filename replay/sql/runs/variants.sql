-- The possible images of challenges that were predicted, from parts of a replay.
SELECT $run_id AS run_id, challenge_id, variant, weight, noisy, probability
FROM parts
WHERE probability IS NOT NULL;
