-- How much of each life was chosen, in order of lives; times are UTC.
SELECT
    ordered.life,
    count(*) AS challenges,
    min(media.time) AS first_time,
    max(media.time) AS last_time
FROM life_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row
GROUP BY ordered.life
ORDER BY ordered.life;
