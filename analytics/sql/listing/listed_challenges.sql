-- Every challenge with what a list is filtered and sorted by, in memory.
CREATE OR REPLACE TABLE memory.main.listed_challenges AS
WITH replayed AS (
    SELECT
        challenge_id,
        probability,
        fidelity,
        reason
    FROM replay_predictions
    WHERE run_id = $run_id
)

SELECT
    ordinals.ordinal,
    media.challenge_id,
    media.time,
    media.era::memory.main.era AS era,
    media.label,
    media.source::memory.main.source AS source,
    media.city::memory.main.city AS city,
    media.aug_level AS level,
    hash(coalesce(media.parquet || ':' || media.row, media.challenge_id)) AS image,
    coalesce(answer_counts.asked, 0) AS asked,
    coalesce(answer_counts.answered, 0) AS answered,
    coalesce(CASE media.label WHEN 1 THEN answer_counts.ones ELSE answer_counts.zeros END, 0)
        AS correct,
    1 - correct / nullif(answered, 0) AS wrong_share,
    replayed.probability,
    CASE
        WHEN replayed.challenge_id IS NULL THEN 'not asked'
        WHEN replayed.probability IS NULL OR replayed.probability = -1 THEN 'no answer'
        WHEN NOT isfinite(replayed.probability) THEN 'not finite'
        WHEN round_even(replayed.probability, 0) = media.label THEN 'right'
        ELSE 'wrong'
    END::memory.main.outcome AS candidate,
    replayed.fidelity::memory.main.fidelity AS fidelity,
    replayed.reason::memory.main.reason AS reason,
    hard.difficulty
FROM media
INNER JOIN ordinals ON ordinals.media_row = media.rowid
LEFT JOIN answer_counts USING (challenge_id)
LEFT JOIN replayed USING (challenge_id)
LEFT JOIN memory.main.difficulties AS hard USING (challenge_id);
