-- A replay's answers to the variants of one challenge, in their order among all combinations.
SELECT
    variant,
    weight,
    probability
FROM replay_variants
WHERE run_id = $run_id AND challenge_id = $challenge_id
ORDER BY variant;
