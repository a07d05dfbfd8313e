-- The challenges of a replay in order of validators' lives (see miners/stage), and what the candidate
-- answered. One that this store does not hold, or that was not chosen, has no ordinal.
SELECT
    places.place::INTEGER AS ordinal,
    places.life::INTEGER AS life,
    replayed.challenge_id,
    media.label,
    media.era,
    places.image,
    replayed.positive_share,
    replayed.fidelity,
    CASE
        WHEN media.challenge_id IS NULL THEN 'not in this store'
        WHEN places.place IS NULL THEN 'of another validator or run'
        WHEN replayed.probability IS NULL THEN coalesce(replayed.reason, 'no answer')
    END AS left_out
FROM replay_predictions AS replayed
LEFT JOIN stage_places AS places USING (challenge_id)
LEFT JOIN media USING (challenge_id)
WHERE replayed.run_id = $run_id
ORDER BY places.place;
