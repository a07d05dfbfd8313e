-- The images of one challenge that a replay's candidate was shown, in their order among all
-- combinations, and its answer to each.
SELECT
    variant,
    weight,
    probability
FROM replay_variants
WHERE run_id = $run_id AND challenge_id = $challenge_id
ORDER BY variant;
