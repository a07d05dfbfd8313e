-- Finished replays, newest first.
SELECT
    run_id,
    model,
    uses_metadata,
    finished,
    selected,
    predicted
FROM replay_runs
ORDER BY finished DESC, run_id;
