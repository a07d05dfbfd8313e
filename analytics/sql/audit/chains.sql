-- First and last ordinal of each connected chain of records.
SELECT min(ordinal) AS first, max(ordinal) AS last
FROM life_order
GROUP BY life, chain
ORDER BY first;
