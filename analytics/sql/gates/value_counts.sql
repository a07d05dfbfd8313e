-- How many challenges and source images have each value of gate_values, right and wrong answers apart.
-- Of more than $most values only the largest, with $least challenges at least.
WITH sides AS (
    SELECT
        "value",
        is_right,
        count(*) AS challenges,
        count(DISTINCT image) AS images,
        count(*) FILTER (WHERE is_several) AS several
    FROM gate_values
    GROUP BY "value", is_right
),

kept AS (
    SELECT "value"
    FROM (SELECT "value", sum(challenges) AS size FROM sides GROUP BY "value")
    QUALIFY count(*) OVER () <= $most
        OR (size >= $least AND row_number() OVER (ORDER BY size DESC, "value") <= $most)
)

SELECT sides.*, count(*) OVER () < (SELECT count(*) FROM sides) AS are_some_dropped
FROM sides
INNER JOIN kept ON sides."value" IS NOT DISTINCT FROM kept."value"
ORDER BY "value", is_right;
