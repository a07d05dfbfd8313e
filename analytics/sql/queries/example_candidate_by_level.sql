-- A candidate's accuracy by augmentation level, newest replay first
SELECT
    run.model,
    run.finished,
    media.aug_level,
    count(*) AS challenges,
    avg((round_even(answer.probability, 0) = media.label)::INTEGER) AS accuracy
FROM replay_runs AS run
JOIN replay_predictions AS answer USING (run_id)
JOIN media USING (challenge_id)
WHERE answer.probability IS NOT NULL
GROUP BY ALL
ORDER BY run.finished DESC, media.aug_level
