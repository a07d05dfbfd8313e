-- The values of a field that each challenge of a replay has; of $label, NULL for both. A challenge with
-- several weathers has each of these, and one that has none NULL.
CREATE OR REPLACE TEMP TABLE gate_values AS
SELECT
    challenge_id,
    image,
    block,
    is_right,
    is_several,
    unnest(CASE $field
        WHEN 'label' THEN [CASE label WHEN 1 THEN 'roadwork' ELSE 'no roadwork' END]
        WHEN 'level' THEN ['level ' || aug_level]
        WHEN 'city' THEN [city]
        WHEN 'daytime' THEN [daytime]
        WHEN 'environment' THEN [environment]
        WHEN 'image size' THEN [image_width || ' x ' || image_height]
        WHEN 'weather' THEN
            CASE WHEN len(weather) > 0 THEN list_distinct(weather) ELSE [NULL] END
        ELSE ['']
    END) AS "value"
FROM gate_challenges
WHERE run_id = $run AND label = coalesce($label, label);
