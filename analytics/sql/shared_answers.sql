-- Every answer of every miner beside the candidate's on the same challenge; a uid asked twice in one
-- challenge has two. `left_out` says why a pair cannot be compared.
SELECT
    answer.uid,
    answer.hotkey,
    media.label,
    answer.prediction,
    replayed.positive_share,
    coalesce(media.parquet || ':' || media.row, media.challenge_id) AS source_image,
    CASE
        WHEN replayed.challenge_id IS NULL THEN 'not in this replay'
        WHEN replayed.probability IS NULL THEN 'candidate: ' || coalesce(replayed.reason, 'no answer')
        WHEN answer.prediction = -1 THEN 'miner: no answer'
        WHEN answer.prediction IS NULL THEN 'miner: answer not finite'
    END AS left_out
FROM responses AS answer
INNER JOIN media USING (challenge_id)
LEFT JOIN (SELECT * FROM replay_predictions WHERE run_id = $run_id) AS replayed
    USING (challenge_id)
ORDER BY answer.uid, answer.hotkey, media.file, media.position, answer.slot;
