-- The candidate's answer to every possible image of what it predicted, by the challenge's ordinal;
-- weights sum to 1 over a challenge. Where no images are kept its one answer stands for them.
SELECT
    staged.ordinal::INTEGER AS ordinal,
    coalesce(variant.weight, 1) AS weight,
    coalesce(variant.probability, replayed.probability) AS probability
FROM replay_predictions AS replayed
INNER JOIN stage_challenges AS staged USING (challenge_id)
LEFT JOIN replay_variants AS variant USING (run_id, challenge_id)
WHERE run_id = $run_id AND replayed.probability IS NOT NULL
ORDER BY staged.ordinal, variant.probability, variant.variant;
