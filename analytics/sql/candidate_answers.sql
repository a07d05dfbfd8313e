-- The candidate's answer to every challenge of a replay, with the scored label.
SELECT
    media.label,
    replayed.positive_share,
    replayed.fidelity,
    replayed.reason,
    coalesce(media.parquet || ':' || media.row, media.challenge_id) AS source_image
FROM replay_predictions AS replayed
INNER JOIN media USING (challenge_id)
WHERE replayed.run_id = $run_id
ORDER BY media.file, media.position;
