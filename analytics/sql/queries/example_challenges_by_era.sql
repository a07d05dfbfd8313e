-- Challenges by era, source and label
SELECT era, source, label, count(*) AS challenges
FROM media
GROUP BY ALL
ORDER BY ALL
