-- What the gate guards, of each challenge: one row a challenge, field and value. Comes after
-- analytics/miners/stage. A NULL pattern names the metadata fields that hold no value, and why; not
-- the description's, which is the label.
WITH described AS (
    SELECT
        staged.ordinal,
        media.era,
        coalesce(media.city, 'NULL: ' || media.city_null) AS city,
        coalesce('level ' || media.aug_level, 'none logged') AS "level",
        CASE media.label WHEN 1 THEN 'roadwork' ELSE 'none' END AS label,
        coalesce(
            nullif(
                concat_ws(
                    ', ',
                    'gps ' || media.gps_null,
                    'city ' || media.city_null,
                    'daytime ' || media.daytime_null,
                    'environment ' || media.environment_null,
                    'weather ' || media.weather_null
                ),
                ''
            ),
            'none'
        ) AS "NULL pattern"
    FROM stage_challenges AS staged
    INNER JOIN media USING (challenge_id)
)

UNPIVOT described
ON COLUMNS(* EXCLUDE (ordinal))
INTO NAME field VALUE "value"
ORDER BY field, "value", ordinal;
