-- The challenges of a replay in order of time (see miners/stage), and what the candidate answered.
-- One that this store does not hold has no place.
SELECT
    places.place::INTEGER AS place,
    replayed.challenge_id,
    places.label,
    media.era,
    places.image,
    replayed.positive_share,
    replayed.fidelity,
    CASE
        WHEN places.place IS NULL THEN 'not in this store'
        WHEN replayed.probability IS NULL THEN coalesce(replayed.reason, 'no answer')
    END AS left_out
FROM replay_predictions AS replayed
LEFT JOIN stage_places AS places USING (challenge_id)
LEFT JOIN media USING (challenge_id)
WHERE replayed.run_id = $run_id
ORDER BY places.place;
