-- Runs whose config names a hotkey that did not sign them.
SELECT run_id, min(hotkey) AS hotkey
FROM runs
WHERE run_id IN (SELECT run_id FROM run_signatures() WHERE signature = 'false')
GROUP BY run_id
ORDER BY run_id;
