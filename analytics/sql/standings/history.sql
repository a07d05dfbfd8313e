-- How one uid fared over its answers, in each life: at most about $points of them, evenly spaced, and
-- the last one of every spell. Means are over the last $recent answers of the same spell, a period in
-- which one hotkey held the uid. The EMA is set beside those of
-- all uids at that moment: its rank among those above 0, if it is one of them, and their median.
WITH mine AS (
    SELECT
        ordered.life,
        ordered.ordinal,
        ordered.media_row,
        answer.slot,
        answer.hotkey,
        answer.reward,
        answer.mcc,
        coalesce(answer.prediction = -1, false) AS is_silent,
        coalesce(round_even(answer.prediction, 0) = ordered.label, false) AS is_right,
        answer.hotkey IS DISTINCT FROM lag(answer.hotkey) OVER in_order AS changed
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE answer.uid = $uid
    WINDOW in_order AS (PARTITION BY ordered.life ORDER BY ordered.ordinal, answer.slot)
),

spells AS (
    SELECT
        *,
        count(*) FILTER (WHERE changed) OVER in_order AS spell,
        row_number() OVER in_order AS answer_number,
        count(*) OVER (PARTITION BY life) AS asked
    FROM mine
    WINDOW in_order AS (PARTITION BY life ORDER BY ordinal, slot)
),

rolling AS (
    SELECT
        *,
        avg(reward) OVER recent AS mean_reward,
        avg(is_silent::INTEGER) OVER recent AS silence,
        count(*) OVER recent AS recent_answers,
        count(*) FILTER (WHERE is_right) OVER recent AS recent_right,
        count(*) OVER earlier AS earlier_answers,
        count(*) FILTER (WHERE is_right) OVER earlier AS earlier_right
    FROM spells
    WINDOW
        recent AS (
            PARTITION BY life, spell
            ORDER BY ordinal, slot
            ROWS BETWEEN $recent - 1 PRECEDING AND CURRENT ROW
        ),
        earlier AS (
            PARTITION BY life, spell
            ORDER BY ordinal, slot
            ROWS BETWEEN 2 * $recent - 1 PRECEDING AND $recent PRECEDING
        )
),

-- the last answer of each of $points equal parts, and of each spell
chosen AS (
    SELECT *
    FROM rolling
    WINDOW in_order AS (PARTITION BY life ORDER BY ordinal, slot)
    QUALIFY
        (answer_number - 1) * $points // asked
        IS DISTINCT FROM lead((answer_number - 1) * $points // asked) OVER in_order
        OR spell IS DISTINCT FROM lead(spell) OVER in_order
),

scored AS (
    SELECT
        chosen.*,
        media.time,
        media.challenge_id,
        media.scores[$uid + 1] AS score,
        list_filter(media.scores, lambda x: x > 0 AND isfinite(x)) AS others
    FROM media
    INNER JOIN chosen ON media.rowid = chosen.media_row
    WHERE media.rowid IN (SELECT media_row FROM chosen)
)

SELECT
    life,
    spell,
    left(hotkey, 100) AS hotkey,
    answer_number,
    asked,
    ordinal,
    time,
    challenge_id,
    mean_reward,
    silence,
    recent_answers,
    recent_right,
    earlier_answers,
    earlier_right,
    CASE WHEN isfinite(mcc) THEN mcc END AS mcc,
    CASE WHEN isfinite(score) THEN score END AS ema,
    CASE WHEN isfinite(score) THEN list_median(others) END AS median_ema,
    CASE WHEN isfinite(score) AND score > 0 THEN 1 + len(list_filter(others, lambda x: x > score)) END
        AS rank,
    len(others) AS ranked
FROM scored
ORDER BY life, ordinal, answer_number;
