-- Every challenge with what a list is filtered and sorted by, in memory. `ordinal` is from 0 on by
-- time; those without one come last, in order of their logs. Outcomes are named as in
-- analytics/queries/challenge_answers.py.
CREATE OR REPLACE TABLE memory.main.listed_challenges AS
WITH answers AS (
    SELECT
        media.rowid AS media_row,
        count(*) AS asked,
        count(*) FILTER (WHERE prediction <> -1) AS answered,
        count(*) FILTER (
            WHERE prediction <> -1 AND round_even(prediction, 0) = media.label
        ) AS correct
    FROM responses
    INNER JOIN media USING (challenge_id)
    GROUP BY media.rowid
),

ordered AS (
    SELECT
        rowid AS media_row,
        (
            row_number() OVER (ORDER BY time NULLS LAST, file, position, challenge_id) - 1
        )::INTEGER AS ordinal
    FROM media
),

replayed AS (
    SELECT
        challenge_id,
        probability,
        fidelity,
        reason
    FROM replay_predictions
    WHERE run_id = $run_id
)

SELECT
    ordered.ordinal,
    media.challenge_id,
    media.time,
    media.era,
    media.label,
    media.source,
    media.city,
    media.aug_level AS level,
    hash(coalesce(media.parquet || ':' || media.row, media.challenge_id)) AS image,
    coalesce(answers.asked, 0)::INTEGER AS asked,
    coalesce(answers.answered, 0)::INTEGER AS answered,
    coalesce(answers.correct, 0)::INTEGER AS correct,
    1 - answers.correct / nullif(answers.answered, 0) AS wrong_share,
    replayed.probability,
    CASE
        WHEN replayed.challenge_id IS NULL THEN 'not asked'
        WHEN replayed.probability IS NULL OR replayed.probability = -1 THEN 'no answer'
        WHEN NOT isfinite(replayed.probability) THEN 'not finite'
        WHEN round_even(replayed.probability, 0) = media.label THEN 'right'
        ELSE 'wrong'
    END AS candidate,
    replayed.fidelity,
    replayed.reason,
    hard.difficulty
FROM media
INNER JOIN ordered ON ordered.media_row = media.rowid
LEFT JOIN answers ON answers.media_row = media.rowid
LEFT JOIN replayed USING (challenge_id)
LEFT JOIN memory.main.difficulties AS hard USING (challenge_id);
