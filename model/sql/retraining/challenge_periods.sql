-- Each challenge with a time: whether it is of the later period, its source image (a challenge that
-- names none is its own), and what a drift is looked for in; a NULL kind of '' stands for a value.
SELECT
    challenge_id,
    coalesce(parquet || ':' || row, challenge_id) AS image,
    time >= $since AS later,
    era,
    coalesce(city, 'not logged') AS city,
    coalesce(COLUMNS('^(.*)_null$'), '') AS '\1_kind'
FROM media
WHERE time IS NOT NULL
ORDER BY challenge_id;
