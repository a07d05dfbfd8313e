-- The matching challenges by the share of miners' answers that are wrong, to the nearest tenth (NULL:
-- nobody answered), and by the candidate's outcome.
SELECT
    round(10 * wrong_share)::INTEGER AS tenths,
    candidate,
    count(*) AS challenges
FROM matching
INNER JOIN memory.main.listed_challenges USING (ordinal)
GROUP BY tenths, candidate
ORDER BY tenths, candidate;
