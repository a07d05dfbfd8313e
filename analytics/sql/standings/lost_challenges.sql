-- Challenges that one miner answered wrongly or not at all, a page of them, and how others and a
-- replay's candidate answered there; `lost` counts all that match. Others are the miners that gave a
-- finite answer. The candidate's class is of its probability, a mean over possible images, by the
-- validator's rounding (half to even).
-- $kind: wrong, silent, both. $order: newest, alone (first where fewest others were wrong).
-- $life: one validator's; NULL: all. $run_id: NULL: no candidate.
WITH own AS (
    SELECT
        ordered.*,
        answer.slot,
        answer.prediction,
        answer.reward,
        coalesce(answer.prediction = -1, true) AS is_silent
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE answer.uid = $uid AND answer.hotkey = $hotkey
        AND ($life IS NULL OR ordered.life = $life)
),

lost AS (
    SELECT *
    FROM own
    WHERE (is_silent AND $kind <> 'wrong')
        OR (NOT is_silent AND round_even(prediction, 0) <> label AND $kind <> 'silent')
),

others AS (
    SELECT
        answer.challenge_id,
        count(*) AS others,
        count(*) FILTER (WHERE round_even(answer.prediction, 0) <> asked.label) AS others_wrong
    FROM responses AS answer
    INNER JOIN (SELECT DISTINCT challenge_id, label FROM lost) AS asked USING (challenge_id)
    WHERE answer.prediction <> -1 AND NOT (answer.uid = $uid AND answer.hotkey = $hotkey)
    GROUP BY answer.challenge_id
),

page AS (
    SELECT
        lost.*,
        coalesce(others.others, 0) AS others,
        coalesce(others.others_wrong, 0) AS others_wrong,
        count(*) OVER () AS lost
    FROM lost
    LEFT JOIN others USING (challenge_id)
    ORDER BY
        CASE WHEN $order = 'alone' THEN (others_wrong + 1.0) / (others + 2) END,
        ordinal DESC,
        slot
    LIMIT $limit OFFSET $offset
)

SELECT
    page.challenge_id,
    page.life,
    page.ordinal,
    media.time,
    media.era,
    page.label,
    media.aug_level AS level,
    left(media.source, 100) AS source,
    left(media.city, 100) AS city,
    page.prediction,
    page.is_silent,
    page.reward,
    page.others,
    page.others_wrong,
    replayed.probability AS candidate,
    CASE
        WHEN isfinite(replayed.probability) AND replayed.probability <> -1
            THEN round_even(replayed.probability, 0) = page.label
    END AS candidate_right,
    CASE
        WHEN replayed.probability = -1 THEN 'no answer'
        WHEN NOT isfinite(replayed.probability) THEN 'not finite'
        ELSE left(replayed.reason, 100)
    END AS no_candidate,
    page.lost
FROM page
INNER JOIN media ON media.rowid = page.media_row
LEFT JOIN replay_predictions AS replayed
    ON page.challenge_id = replayed.challenge_id AND replayed.run_id = $run_id
ORDER BY
    CASE WHEN $order = 'alone' THEN (others_wrong + 1.0) / (others + 2) END,
    page.ordinal DESC,
    page.slot;
