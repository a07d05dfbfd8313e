-- Runs that name a hotkey which did not sign them
SELECT run_id, file, name, hotkey, validator_uid, started
FROM runs
WHERE signature = 'false'
ORDER BY run_id, file
