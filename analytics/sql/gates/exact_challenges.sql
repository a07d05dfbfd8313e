-- The first $most challenges of a replay with an exact image, in order of files and positions.
SELECT
    challenge_id,
    media.file,
    media.position,
    media.label,
    round_even(replayed.probability, 0) = media.label AS is_right
FROM replay_predictions AS replayed
INNER JOIN media USING (challenge_id)
WHERE
    replayed.run_id = $run
    AND replayed.fidelity = 'exact'
    AND replayed.probability IS NOT NULL
ORDER BY media.file, media.position
LIMIT $most;
