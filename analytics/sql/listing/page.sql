-- Some of the matching challenges, in their order.
SELECT listed.* EXCLUDE (ordinal, image, wrong_share)
FROM (
    SELECT ordinal, sort_key
    FROM matching
    ORDER BY sort_key NULLS LAST, ordinal
    LIMIT $limit OFFSET $offset
) AS shown
INNER JOIN memory.main.listed_challenges AS listed USING (ordinal)
ORDER BY shown.sort_key NULLS LAST, shown.ordinal;
