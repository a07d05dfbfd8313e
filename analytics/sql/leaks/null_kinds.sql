-- NULL kinds of each metadata field by era, source and label, each NULL for all, over source images.
-- An image counts once, with a value if any of its challenges has one ('' sorts first), else by the
-- first kind in order; challenges whose image is not named are images of their own. Fields stay
-- columns until all is counted: a row a field and image would take ten times as long.
WITH images AS (
    SELECT
        era,
        source,
        label,
        min(COLUMNS('^.*_null$')),
        sum(challenges) AS challenges,
        CASE WHEN parquet IS NULL THEN sum(challenges) ELSE 1 END AS images
    FROM (
        SELECT *, CASE WHEN parquet IS NULL THEN row_number() OVER () END AS unnamed
        FROM image_nulls
    )
    GROUP BY parquet, row, unnamed, CUBE (era, source, label)
),

counted AS (
    SELECT
        era,
        source,
        label,
        sum(challenges) AS challenges,
        {
            'n': sum(CASE WHEN COLUMNS('^(.*)_null$') <> 'unreadable' THEN images ELSE 0 END),
            'unreadable': sum(CASE WHEN COLUMNS('^(.*)_null$') = 'unreadable' THEN images ELSE 0 END),
            'absent': sum(CASE WHEN COLUMNS('^(.*)_null$') = 'absent' THEN images ELSE 0 END),
            'json_null': sum(CASE WHEN COLUMNS('^(.*)_null$') = 'null' THEN images ELSE 0 END),
            'empty': sum(CASE WHEN COLUMNS('^(.*)_null$') = 'empty' THEN images ELSE 0 END),
            'word': sum(CASE WHEN COLUMNS('^(.*)_null$') = 'word' THEN images ELSE 0 END)
        } AS '\1'
    FROM images
    GROUP BY era, source, label
),

fields AS (
    UNPIVOT counted
    ON COLUMNS(* EXCLUDE (era, source, label, challenges))
    INTO NAME field VALUE counts
)

SELECT
    field,
    era,
    source,
    label,
    challenges::BIGINT AS challenges,
    counts.n::BIGINT AS n,
    counts.unreadable::BIGINT AS unreadable,
    counts.absent::BIGINT AS absent,
    counts.json_null::BIGINT AS json_null,
    counts.empty::BIGINT AS empty,
    counts.word::BIGINT AS word
FROM fields
ORDER BY
    field,
    try_cast(era[2:] AS INTEGER) NULLS FIRST,
    source NULLS FIRST,
    label NULLS FIRST;
