-- What a replay answered, and its views' shares of the fusion in the views' order; challenges
-- without gates are left out.
SELECT
    replayed.challenge_id,
    replayed.probability,
    list(gates.share ORDER BY gates.view) AS shares
FROM replay_predictions AS replayed
INNER JOIN replay_gates AS gates USING (run_id, challenge_id)
WHERE replayed.run_id = $run_id AND replayed.probability IS NOT NULL
GROUP BY replayed.challenge_id, replayed.probability
ORDER BY replayed.challenge_id;
