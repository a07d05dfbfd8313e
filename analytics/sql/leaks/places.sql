-- Where each challenge's image comes from, as far as its log says; in an order that
-- no file's name decides.
SELECT
    challenge_id,
    parquet,
    row,
    vid_id,
    gps_lat,
    gps_lon
FROM media
ORDER BY challenge_id;
