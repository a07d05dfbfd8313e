-- How many of the chosen challenges have a time; one row.
SELECT count(*) AS challenges, count(media.time) AS timed
FROM life_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row;
