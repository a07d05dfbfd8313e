-- One prediction a challenge, from parts of a replay. An answer of exactly 0.5 rounds to 0, as the
-- validator rounds.
WITH means AS (
    SELECT *, sum(weight * probability) OVER (PARTITION BY challenge_id) AS mean
    FROM parts
)

SELECT
    $run_id AS run_id,
    challenge_id,
    any_value(mean) AS probability,
    sqrt(sum(weight * (probability - mean) ** 2)) AS spread,
    sum(weight * (probability > 0.5)::INTEGER) AS positive_share,
    any_value(fidelity) AS fidelity,
    any_value(reason) AS reason,
    count(probability) AS images,
    count(*) FILTER (WHERE noisy AND probability IS NOT NULL) AS noisy
FROM means
GROUP BY challenge_id
ORDER BY challenge_id;
