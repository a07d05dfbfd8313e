-- How open the gates of a challenge's views were, mean over its possible images, from parts of a
-- replay.
WITH opened AS (
    SELECT
        challenge_id,
        weight,
        unnest(gates) AS gate,
        generate_subscripts(gates, 1) AS view,
        nullif(list_sum(gates::DOUBLE[]), 0) AS total
    FROM parts
)

-- Weights sum to 1 but for rounding, so a mean of ones may come out above 1.
SELECT
    $run_id AS run_id,
    challenge_id,
    view,
    least(sum(weight * gate), 1) AS gate,
    least(sum(weight * coalesce(gate / total, 0)), 1) AS share
FROM opened
GROUP BY challenge_id, view
ORDER BY challenge_id, view;
