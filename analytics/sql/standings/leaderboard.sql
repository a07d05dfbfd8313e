-- What every (uid, hotkey) pair answered and earned in each life, and its score (EMA) after the last
-- challenge that it was asked; a score that no record holds is NULL. A class is the validator's:
-- rounded half to even, any but 0 and 1 is `other`. $life: one validator's; NULL: all.
WITH asked AS (
    SELECT
        answer.uid,
        answer.hotkey,
        ordered.life,
        count(*) AS asked,
        count(*) FILTER (WHERE answer.prediction = -1) AS silent,
        count(*) FILTER (WHERE answer.prediction IS NULL) AS not_finite,
        count(answer.reward) AS rewarded,
        sum(answer.reward) AS reward,
        max(ordered.ordinal) AS last_ordinal,
        count(*) FILTER (WHERE label = 0 AND round_even(answer.prediction, 0) = 0) AS right_0,
        count(*) FILTER (WHERE label = 0 AND round_even(answer.prediction, 0) = 1) AS wrong_0,
        count(*) FILTER (WHERE label = 1 AND round_even(answer.prediction, 0) = 0) AS wrong_1,
        count(*) FILTER (WHERE label = 1 AND round_even(answer.prediction, 0) = 1) AS right_1,
        count(*) FILTER (WHERE label = 0 AND answer.prediction <> -1) AS label_0,
        count(*) FILTER (WHERE label = 1 AND answer.prediction <> -1) AS label_1
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE $life IS NULL OR ordered.life = $life
    GROUP BY answer.uid, answer.hotkey, ordered.life
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
