-- Challenges by the scored label.
SELECT
    label,
    count(*) AS challenges
FROM media
GROUP BY label
ORDER BY label;
