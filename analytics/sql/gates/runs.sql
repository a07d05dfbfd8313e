-- Finished replays whose model has gates, newest first.
SELECT
    run_id,
    model,
    uses_metadata,
    finished,
    selected,
    predicted
FROM replay_runs
SEMI JOIN replay_gates USING (run_id)
ORDER BY finished DESC, run_id;
