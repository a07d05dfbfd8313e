-- First and last place of each validator's life.
SELECT life, min(ordinal) AS first, max(ordinal) AS last
FROM audit_order
GROUP BY life
ORDER BY life;
