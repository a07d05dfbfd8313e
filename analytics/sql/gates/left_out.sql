-- Challenges of a replay that the table gate_challenges lacks, by reason, most first.
SELECT
    CASE
        WHEN media.challenge_id IS NULL THEN 'not in this store'
        WHEN replayed.probability IS NULL THEN coalesce(replayed.reason, 'no answer')
        WHEN EXISTS (
            FROM replay_gates
            WHERE
                replay_gates.run_id = replayed.run_id
                AND replay_gates.challenge_id = replayed.challenge_id
                AND replay_gates.view = 1
        ) THEN 'overlaps with training rows'
        ELSE 'no gates'
    END AS left_out,
    count(*) AS challenges
FROM (FROM replay_predictions ANTI JOIN gate_challenges USING (run_id, challenge_id)) AS replayed
LEFT JOIN media USING (challenge_id)
WHERE replayed.run_id = $run
GROUP BY left_out
ORDER BY challenges DESC, left_out;
