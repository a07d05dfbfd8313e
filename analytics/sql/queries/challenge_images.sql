-- The era and the source image of each challenge with a position; repeats of an image share a hash.
SELECT
    challenge_id,
    era,
    hash(coalesce(parquet || ':' || row, challenge_id)) AS image
FROM media
WHERE gps_lat IS NOT NULL AND gps_lon IS NOT NULL
ORDER BY file, position;
