-- The values that compared challenges have, how many have each, and which become slices. Of a field
-- with more than $most_values values, those of fewer than $least_challenges are dropped, and all but
-- the $most_values largest: text of a log may be another one in each challenge. Slices are numbered
-- from 0 on, by field in the order of $fields, then by value; what is dropped has no number.
CREATE OR REPLACE TEMP TABLE stage_slices AS
WITH sizes AS (
    SELECT field, "value", count(*) AS size
    FROM slice_rows($run_id)
    SEMI JOIN stage_compared USING (ordinal)
    GROUP BY field, "value"
),

ranked AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY field) > $most_values AS many,
        row_number() OVER (PARTITION BY field ORDER BY size DESC, "value") AS size_rank
    FROM sizes
),

judged AS (
    SELECT
        field,
        "value",
        NOT many OR (size >= $least_challenges AND size_rank <= $most_values) AS kept
    FROM ranked
)

SELECT
    field,
    "value",
    CASE
        WHEN kept
            THEN row_number() OVER (
                PARTITION BY kept ORDER BY list_position($fields, field), "value"
            ) - 1
    END AS number
FROM judged;
