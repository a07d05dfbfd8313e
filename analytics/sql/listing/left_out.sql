-- The matching challenges without an answer of the candidate, by why.
SELECT
    CASE candidate
        WHEN 'not asked' THEN 'not in its replay'
        WHEN 'not finite' THEN 'not finite'
        ELSE coalesce(reason, 'no answer')
    END AS why,
    count(*) AS challenges
FROM matching
INNER JOIN memory.main.listed_challenges USING (ordinal)
WHERE candidate NOT IN ('right', 'wrong')
GROUP BY why
ORDER BY challenges DESC, why;
