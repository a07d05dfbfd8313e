-- Sums of views' shares or gates over the right and the wrong answers of a replay, by a field's value
-- and block of source images; of $label, NULL for both. A challenge with several weathers has each of
-- these values, and one that has none NULL. Of more than $most values only the largest are kept, with
-- $least challenges at least.
WITH valued AS (
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
    WHERE run_id = $run AND label = coalesce($label, label)
),

kept AS (
    SELECT "value"
    FROM (SELECT "value", count(*) AS size FROM valued GROUP BY "value")
    QUALIFY count(*) OVER () <= $most
        OR (size >= $least AND row_number() OVER (ORDER BY size DESC, "value") <= $most)
)

SELECT
    "value",
    is_right,
    block,
    view,
    count(*) AS challenges,
    count(*) FILTER (WHERE is_several) AS several,
    count(DISTINCT image) FILTER (WHERE view = 1) AS images,
    count(*) FILTER (WHERE gate = 0) AS zeros,
    sum(CASE $measure WHEN 'share' THEN share ELSE gate END) AS total
FROM replay_gates
INNER JOIN valued USING (challenge_id)
WHERE run_id = $run AND EXISTS (FROM kept WHERE kept."value" IS NOT DISTINCT FROM valued."value")
GROUP BY "value", is_right, block, view
ORDER BY "value", is_right, block, view;
