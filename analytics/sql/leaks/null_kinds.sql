-- NULL kinds of each metadata field by era, source and label, each NULL for all, over source images.
-- An image counts once, with a value if any of its challenges has one ('' sorts first), else by the
-- first kind in order. An image that is sent once needs no name: all of its kind are counted at
-- once, which keeps a year of challenges small.
WITH named AS (
    SELECT
        era,
        CASE WHEN source IS NULL AND era IN ('E4', 'E5') THEN 'real'
            ELSE coalesce(source, 'not logged') END AS source,
        label,
        hash(coalesce(parquet || ':' || row, challenge_id)) AS image,
        coalesce(COLUMNS('^(.*)_null$'), '') AS '\1'
    FROM media
),

combined AS (
    SELECT * EXCLUDE (image, sent), CASE WHEN sent > 1 THEN image END AS image, count(*) AS challenges
    FROM (SELECT *, count(*) OVER (PARTITION BY image) AS sent FROM named)
    GROUP BY ALL
),

fields AS (
    UNPIVOT combined
    ON COLUMNS(* EXCLUDE (era, source, label, image, challenges))
    INTO NAME field VALUE kind
),

images AS (
    SELECT
        field,
        era,
        source,
        label,
        min(kind) AS kind,
        sum(challenges) AS challenges,
        1 AS images
    FROM fields
    WHERE image IS NOT NULL
    GROUP BY field, image, CUBE (era, source, label)
    UNION ALL
    SELECT
        field,
        era,
        source,
        label,
        kind,
        sum(challenges) AS challenges,
        sum(challenges) AS images
    FROM fields
    WHERE image IS NULL
    GROUP BY field, kind, CUBE (era, source, label)
)

SELECT
    field,
    era,
    source,
    label,
    sum(challenges)::BIGINT AS challenges,
    coalesce(sum(images) FILTER (WHERE kind <> 'unreadable'), 0)::BIGINT AS n,
    coalesce(sum(images) FILTER (WHERE kind = 'unreadable'), 0)::BIGINT AS unreadable,
    coalesce(sum(images) FILTER (WHERE kind = 'absent'), 0)::BIGINT AS absent,
    coalesce(sum(images) FILTER (WHERE kind = 'null'), 0)::BIGINT AS json_null,
    coalesce(sum(images) FILTER (WHERE kind = 'empty'), 0)::BIGINT AS empty,
    coalesce(sum(images) FILTER (WHERE kind = 'word'), 0)::BIGINT AS word
FROM images
GROUP BY field, era, source, label
ORDER BY
    field,
    try_cast(era[2:] AS INTEGER) NULLS FIRST,
    source NULLS FIRST,
    label NULLS FIRST;
