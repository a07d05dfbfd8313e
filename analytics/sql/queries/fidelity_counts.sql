-- Challenges of a replay by how their image was rebuilt, and by reason where it was not.
SELECT
    fidelity,
    reason,
    count(*) AS challenges
FROM replay_predictions
WHERE run_id = $run_id
GROUP BY ALL
ORDER BY challenges DESC, fidelity, reason;
