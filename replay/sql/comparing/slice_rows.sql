-- The slices that each challenge of a replay belongs to: one row a challenge, field and value. A
-- challenge with several weathers is in the slice of each. A macro, as its rows are read twice, and
-- the text of all of them would take more memory than everything else.
CREATE OR REPLACE TEMP MACRO slice_rows(run) AS TABLE
WITH predicted AS (
    SELECT
        media.*,
        staged.ordinal,
        row_number() OVER (PARTITION BY staged.life, staged.image ORDER BY staged.ordinal)
        > 1 AS seen_before,
        crop_height::DOUBLE * crop_width / (image_width::DOUBLE * image_height) AS crop_share
    FROM media
    INNER JOIN stage_challenges AS staged USING (challenge_id)
    SEMI JOIN (
        SELECT challenge_id FROM replay_predictions
        WHERE run_id = run AND probability IS NOT NULL
    ) AS replayed USING (challenge_id)
),

plain AS (
    UNPIVOT (
        SELECT
            ordinal,
            era,
            coalesce('level ' || aug_level, 'none logged') AS "level",
            CASE label WHEN 1 THEN 'roadwork' ELSE 'none' END AS label,
            coalesce(source, 'not logged') AS source,
            coalesce(city, 'NULL: ' || city_null) AS city,
            coalesce(daytime, 'NULL: ' || daytime_null) AS daytime,
            coalesce(environment, 'NULL: ' || environment_null) AS environment,
            coalesce(gps_null, 'known') AS "gps NULL",
            coalesce(scene_description_null, 'known') AS "description NULL",
            CASE
                WHEN crop_share IS NULL THEN 'no crop'
                WHEN crop_share < 0.1 THEN '0 to 0.1 of the source'
                WHEN crop_share < 0.2 THEN '0.1 to 0.2 of the source'
                WHEN crop_share < 0.3 THEN '0.2 to 0.3 of the source'
                WHEN crop_share < 0.4 THEN '0.3 to 0.4 of the source'
                ELSE '0.4 of the source or more'
            END AS "crop area",
            coalesce(image_width || ' x ' || image_height, 'not logged') AS "image size",
            CASE WHEN seen_before THEN 'seen before' ELSE 'first sight' END AS image
        FROM predicted
    )
    ON COLUMNS(* EXCLUDE (ordinal))
    INTO NAME field VALUE "value"
),

weathers AS (
    SELECT ordinal, unnest(list_distinct(weather)) AS "value" FROM predicted
    UNION ALL
    SELECT ordinal, 'NULL: ' || coalesce(weather_null, 'empty') FROM predicted
    WHERE weather IS NULL OR len(weather) = 0
)

SELECT ordinal, field, "value" FROM plain
UNION ALL
SELECT ordinal, 'weather' AS field, "value" FROM weathers
UNION ALL
SELECT ordinal, 'neighbourhood' AS field, neighbourhood::VARCHAR AS "value"
FROM stage_neighbourhoods;
