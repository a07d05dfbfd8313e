-- The values that challenges have in each column that a list is filtered by, most frequent first.
WITH counted AS (
    SELECT 'era' AS name, era AS text, NULL AS level, count(*) AS challenges
    FROM memory.main.listed_challenges GROUP BY era
    UNION ALL
    SELECT 'source', source, NULL, count(*) FROM memory.main.listed_challenges GROUP BY source
    UNION ALL
    SELECT 'city', city, NULL, count(*) FROM memory.main.listed_challenges GROUP BY city
    UNION ALL
    SELECT 'level', NULL, level, count(*) FROM memory.main.listed_challenges GROUP BY level
    UNION ALL
    SELECT 'fidelity', fidelity, NULL, count(*)
    FROM memory.main.listed_challenges WHERE fidelity IS NOT NULL GROUP BY fidelity
)

SELECT name, text, level, challenges
FROM counted
QUALIFY row_number() OVER (PARTITION BY name ORDER BY challenges DESC, text, level) <= $most
ORDER BY name, challenges DESC, text, level;
