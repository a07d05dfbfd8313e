-- Runs that name a hotkey which did not sign them
SELECT run_id, file, name, hotkey, validator_uid, started, signature
FROM runs
WHERE run_id IN (SELECT run_id FROM run_signatures() WHERE signature = 'false')
ORDER BY run_id, file
