-- What replays with gates answered, a row a replay and challenge: whether it is right, its source image
-- and the block that the image is in, and what it is grouped by. Those of the table
-- trained_challenges are left out.
CREATE OR REPLACE TEMP TABLE gate_challenges AS
SELECT
    replayed.run_id,
    challenge_id,
    -- a challenge that names no image is its own
    hash(coalesce(media.parquet || ':' || media.row, challenge_id)) AS image,
    (image % $blocks)::INTEGER AS block,
    media.label,
    round_even(replayed.probability, 0) = media.label AS is_right,
    replayed.fidelity = 'distribution' AS is_several,
    media.time,
    CASE WHEN media.time IS NULL THEN media.file END AS file,
    media.position,
    media.aug_level,
    CASE WHEN media.city_null IS NULL THEN media.city END AS city,
    CASE WHEN media.daytime_null IS NULL THEN media.daytime END AS daytime,
    CASE WHEN media.environment_null IS NULL THEN media.environment END AS environment,
    CASE WHEN media.weather_null IS NULL THEN media.weather END AS weather,
    media.image_width,
    media.image_height
FROM replay_predictions AS replayed
INNER JOIN media USING (challenge_id)
ANTI JOIN trained_challenges USING (challenge_id)
WHERE replayed.run_id IN ($run, $other) AND replayed.probability IS NOT NULL;
