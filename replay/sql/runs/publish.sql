-- From the images of a replay (stage_replay) to its variants, gates, and one prediction a challenge.
-- An answer of exactly 0.5 rounds to 0, as the validator rounds.
INSERT INTO replay_variants
SELECT run_id, challenge_id, variant, weight, noisy, probability
FROM stage_replay
WHERE probability IS NOT NULL;

INSERT INTO replay_gates
WITH opened AS (
    SELECT
        run_id,
        challenge_id,
        weight,
        unnest(gates) AS gate,
        generate_subscripts(gates, 1) AS view,
        nullif(list_sum(gates::DOUBLE[]), 0) AS total
    FROM stage_replay
)

-- Weights sum to 1 but for rounding, so a mean of ones may come out above 1.
SELECT
    run_id,
    challenge_id,
    view,
    least(sum(weight * gate), 1) AS gate,
    least(sum(weight * coalesce(gate / total, 0)), 1) AS share
FROM opened
GROUP BY run_id, challenge_id, view
ORDER BY challenge_id, view;

INSERT INTO replay_predictions
WITH means AS (
    SELECT *, sum(weight * probability) OVER (PARTITION BY challenge_id) AS mean
    FROM stage_replay
)

SELECT
    run_id,
    challenge_id,
    any_value(mean) AS probability,
    sqrt(sum(weight * (probability - mean) ** 2)) AS spread,
    sum(weight * (probability > 0.5)::INTEGER) AS positive_share,
    any_value(fidelity) AS fidelity,
    any_value(reason) AS reason,
    count(probability) AS images,
    count(*) FILTER (WHERE noisy AND probability IS NOT NULL) AS noisy
FROM means
GROUP BY run_id, challenge_id
ORDER BY challenge_id;
