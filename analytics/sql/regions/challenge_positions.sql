-- Where each challenge was taken, degrees, NULL where its record holds no position.
SELECT challenge_id, label, gps_lat AS latitude, gps_lon AS longitude
FROM media
ORDER BY challenge_id;
