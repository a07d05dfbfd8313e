-- How open each view's gate was in a replay, on average over its challenges.
SELECT
    view::INTEGER AS view,
    avg(gate) AS gate,
    count(*) AS challenges
FROM replay_gates
WHERE run_id = $run_id
GROUP BY view
ORDER BY view;
