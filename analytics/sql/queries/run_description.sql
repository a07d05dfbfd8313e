-- The run.json of a finished replay.
SELECT settings
FROM replay_runs
WHERE run_id = $run_id;
