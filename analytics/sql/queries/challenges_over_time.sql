-- Challenges by bin of time, era and source, those without a time left out. Bins are of $seconds.
SELECT
    time_bucket(to_seconds($seconds), time) AS start,
    era,
    source,
    count(*) AS challenges
FROM media
WHERE time IS NOT NULL
GROUP BY ALL
ORDER BY ALL;
