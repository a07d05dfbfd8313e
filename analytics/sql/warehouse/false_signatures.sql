-- Runs whose config names a hotkey that did not sign them, in any of their files. A run still being
-- written may hold the signature of the one before; once a file of it has its own, that counts.
SELECT run_id, min(hotkey) AS hotkey
FROM runs
GROUP BY run_id
HAVING bool_or(signature = 'false') AND NOT bool_or(signature = 'proved')
ORDER BY run_id;
