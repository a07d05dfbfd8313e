-- Challenges by augmentation level; a NULL is "none logged" (E10) unless the parameters are unreadable.
SELECT
    aug_level AS level,
    aug_level IS NULL AND geometry IS NULL AS unreadable,
    count(*) AS challenges
FROM media
GROUP BY aug_level, unreadable
ORDER BY aug_level NULLS LAST, unreadable;
