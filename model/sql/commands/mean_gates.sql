-- Each view's part of the fusion in a replay and how open its gate was, means over its challenges.
SELECT
    view::INTEGER AS view,
    avg(share) AS share,
    avg(gate) AS gate,
    count(*) AS challenges
FROM replay_gates
WHERE run_id = $run_id
GROUP BY view
ORDER BY view;
