-- Where each challenge's image comes from, as far as its log says; in order of file and position.
SELECT
    challenge_id,
    parquet,
    row,
    vid_id,
    gps_lat,
    gps_lon
FROM media
ORDER BY file, position;
