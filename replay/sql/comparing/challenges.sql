-- The challenges of a replay in order of validators' lives (see miners/stage), and what the
-- candidate answered. One that this store does not hold, or that was not chosen, has no ordinal.
SELECT
    staged.ordinal::INTEGER AS ordinal,
    staged.life::INTEGER AS life,
    replayed.challenge_id,
    media.label,
    media.era,
    staged.image,
    replayed.positive_share,
    replayed.fidelity,
    CASE
        WHEN media.challenge_id IS NULL THEN 'not in this store'
        WHEN staged.ordinal IS NULL THEN 'of another validator or run'
        WHEN replayed.probability IS NULL THEN coalesce(replayed.reason, 'no answer')
    END AS left_out
FROM replay_predictions AS replayed
LEFT JOIN stage_challenges AS staged USING (challenge_id)
LEFT JOIN media USING (challenge_id)
WHERE replayed.run_id = $run_id
ORDER BY staged.ordinal;
