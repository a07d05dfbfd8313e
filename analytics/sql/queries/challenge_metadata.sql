-- The metadata of challenges, for a candidate that uses metadata; the label is left out.
SELECT
    challenge_id,
    gps_lat,
    gps_lon,
    city,
    scene_description,
    daytime,
    environment,
    travel_alteration,
    weather,
    gps_null,
    city_null,
    scene_description_null,
    daytime_null,
    environment_null,
    travel_alteration_null,
    weather_null
FROM media
WHERE challenge_id IN (SELECT unnest($ids));
