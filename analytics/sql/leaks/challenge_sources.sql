-- Where each challenge's image comes from, as far as its log says (a video named 'unknown' is none);
-- in order of file and position.
SELECT
    challenge_id,
    parquet,
    row,
    CASE WHEN vid_id_null IS NULL THEN vid_id END AS vid_id,
    gps_lat,
    gps_lon
FROM media
ORDER BY file, position;
