-- Where one miner is wrong or silent: a row a value of level, source, label and era, with the share
-- of other miners' finite answers to the same challenges that are wrong, each challenge counted alike.
-- $life: one validator's; NULL: all.
WITH own AS (
    SELECT
        ordered.challenge_id,
        ordered.label,
        ordered.media_row,
        coalesce(answer.prediction = -1, true) AS is_silent,
        coalesce(answer.prediction <> -1, false)
        AND round_even(answer.prediction, 0) <> ordered.label AS is_wrong
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE answer.uid = $uid AND answer.hotkey = $hotkey
        AND ($life IS NULL OR ordered.life = $life)
),

others AS (
    SELECT
        answer.challenge_id,
        avg((round_even(answer.prediction, 0) <> asked.label)::INTEGER) AS wrong_share
    FROM responses AS answer
    INNER JOIN (SELECT DISTINCT challenge_id, label FROM own) AS asked USING (challenge_id)
    WHERE answer.prediction <> -1 AND NOT (answer.uid = $uid AND answer.hotkey = $hotkey)
    GROUP BY answer.challenge_id
),

described AS (
    SELECT
        own.is_silent,
        own.is_wrong,
        others.wrong_share,
        coalesce('level ' || media.aug_level, 'level not logged') AS "level",
        coalesce(left(media.source, 100), 'not logged') AS source,
        CASE own.label WHEN 1 THEN '1 · roadwork' ELSE '0 · no roadwork' END AS label,
        media.era
    FROM own
    INNER JOIN media ON media.rowid = own.media_row
    LEFT JOIN others ON own.challenge_id = others.challenge_id
),

slices AS (
    UNPIVOT described ON "level", source, label, era INTO NAME field VALUE "value"
)

SELECT
    field,
    "value",
    count(*) AS asked,
    count(*) FILTER (WHERE is_silent) AS silent,
    count(*) FILTER (WHERE is_wrong) AS wrong,
    -- a sum's last bits hang on the order in which threads add
    round(favg(wrong_share) FILTER (WHERE NOT is_silent), 12) AS others_wrong
FROM slices
GROUP BY field, "value"
ORDER BY field, "value";
