-- What every (uid, hotkey) pair answered and earned in each life, and its score (EMA) after the last
-- challenge that it was asked; a score that no record holds is NULL. A class is the validator's:
-- rounded half to even, so 0.5 is 0 and 1.5 is neither 0 nor 1. $life: one validator's; NULL: all.
WITH kinds AS (
    SELECT
        answer.uid,
        answer.hotkey,
        ordered.life,
        ordered.label,
        CASE
            WHEN answer.prediction IS NULL THEN 'not finite'
            WHEN answer.prediction = -1 THEN 'silent'
            WHEN answer.prediction BETWEEN -0.5 AND 0.5 THEN '0'
            WHEN answer.prediction > 0.5 AND answer.prediction < 1.5 THEN '1'
            ELSE 'other'
        END AS kind,
        count(*) AS answers,
        count(answer.reward) AS rewarded,
        fsum(answer.reward) AS reward,
        max(ordered.ordinal) AS last_ordinal
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE $life IS NULL OR ordered.life = $life
    GROUP BY ALL
),

asked AS (
    SELECT
        uid,
        hotkey,
        life,
        sum(answers)::BIGINT AS asked,
        coalesce(sum(answers) FILTER (WHERE kind = 'silent'), 0)::BIGINT AS silent,
        coalesce(sum(answers) FILTER (WHERE kind = 'not finite'), 0)::BIGINT AS not_finite,
        sum(rewarded)::BIGINT AS rewarded,
        fsum(reward) AS reward,
        max(last_ordinal) AS last_ordinal,
        coalesce(sum(answers) FILTER (WHERE label = 0 AND kind = '0'), 0)::BIGINT AS right_0,
        coalesce(sum(answers) FILTER (WHERE label = 0 AND kind = '1'), 0)::BIGINT AS wrong_0,
        coalesce(sum(answers) FILTER (WHERE label = 0 AND kind = 'other'), 0)::BIGINT AS other_0,
        coalesce(sum(answers) FILTER (WHERE label = 1 AND kind = '0'), 0)::BIGINT AS wrong_1,
        coalesce(sum(answers) FILTER (WHERE label = 1 AND kind = '1'), 0)::BIGINT AS right_1,
        coalesce(sum(answers) FILTER (WHERE label = 1 AND kind = 'other'), 0)::BIGINT AS other_1
    FROM kinds
    GROUP BY uid, hotkey, life
),

-- only these rows of the long lists of scores are read
last_rows AS (
    SELECT ordinal, media_row
    FROM ordered_challenges
    WHERE ordinal IN (SELECT last_ordinal FROM asked)
),

last_scores AS (
    SELECT last_rows.ordinal, media.scores, media.time
    FROM media
    INNER JOIN last_rows ON media.rowid = last_rows.media_row
    WHERE media.rowid IN (SELECT media_row FROM last_rows)
)

SELECT
    asked.* EXCLUDE (last_ordinal),
    CASE WHEN isfinite(last_scores.scores[asked.uid + 1]) THEN last_scores.scores[asked.uid + 1] END
        AS ema,
    last_scores.time AS last_time,
    asked.last_ordinal = max(asked.last_ordinal) OVER (PARTITION BY asked.life, asked.uid)
        AS is_present
FROM asked
INNER JOIN last_scores ON asked.last_ordinal = last_scores.ordinal
ORDER BY asked.uid, asked.hotkey, asked.life;
