-- Of every miner the sums over source images of products of its answers' counts by label and class,
-- as intervals of MCC need them: m12 is the sum of c1 * c2. Unanswered and non-finite ones are left
-- out. $uid, $hotkey: one miner's; NULL: all. $life: one validator's; NULL: all.
WITH images AS (
    SELECT
        answer.uid,
        answer.hotkey,
        ordered.image,
        count(*) FILTER (WHERE label = 0 AND round_even(prediction, 0) = 0)::DOUBLE AS c1,
        count(*) FILTER (WHERE label = 0 AND round_even(prediction, 0) = 1)::DOUBLE AS c2,
        count(*) FILTER (WHERE label = 0 AND round_even(prediction, 0) NOT IN (0, 1))::DOUBLE AS c3,
        count(*) FILTER (WHERE label = 1 AND round_even(prediction, 0) = 0)::DOUBLE AS c4,
        count(*) FILTER (WHERE label = 1 AND round_even(prediction, 0) = 1)::DOUBLE AS c5,
        count(*) FILTER (WHERE label = 1 AND round_even(prediction, 0) NOT IN (0, 1))::DOUBLE AS c6
    FROM responses AS answer
    INNER JOIN ordered_challenges AS ordered USING (challenge_id)
    WHERE answer.prediction <> -1
        AND ($uid IS NULL OR (answer.uid = $uid AND answer.hotkey = $hotkey))
        AND ($life IS NULL OR ordered.life = $life)
    GROUP BY answer.uid, answer.hotkey, ordered.image
)

SELECT
    uid,
    hotkey,
    count(*) AS images,
    [
        sum(c1), sum(c2), sum(c3), sum(c4), sum(c5), sum(c6)
    ] AS counts,
    [
        sum(c1 * c1), sum(c1 * c2), sum(c1 * c3), sum(c1 * c4), sum(c1 * c5), sum(c1 * c6),
        sum(c2 * c2), sum(c2 * c3), sum(c2 * c4), sum(c2 * c5), sum(c2 * c6),
        sum(c3 * c3), sum(c3 * c4), sum(c3 * c5), sum(c3 * c6),
        sum(c4 * c4), sum(c4 * c5), sum(c4 * c6),
        sum(c5 * c5), sum(c5 * c6),
        sum(c6 * c6)
    ] AS products
FROM images
GROUP BY uid, hotkey
ORDER BY uid, hotkey;
