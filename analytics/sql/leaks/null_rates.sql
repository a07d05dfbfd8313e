-- NULL kinds of each metadata field by era, and by era and source (source NULL: all), over source
-- images. Repeats of an image say the same again, so an image counts once: with a value if any of
-- its challenges has one ('' sorts first), else by the first kind in order.
WITH named AS (
    SELECT
        era,
        CASE WHEN source IS NULL AND era IN ('E4', 'E5') THEN 'real'
            ELSE coalesce(source, 'not logged') END AS source,
        hash(coalesce(parquet || ':' || row, challenge_id)) AS image,
        coalesce(COLUMNS('^(.*)_null$'), '') AS '\1'
    FROM media
),

fields AS (
    UNPIVOT named
    ON COLUMNS(* EXCLUDE (era, source, image))
    INTO NAME field VALUE kind
),

images AS (
    SELECT field, era, source, image, min(kind) AS kind, count(*) AS challenges
    FROM fields
    GROUP BY field, era, source, image
)

SELECT
    field,
    era,
    source,
    sum(challenges)::BIGINT AS challenges,
    count(*) FILTER (WHERE kind <> 'unreadable') AS n,
    count(*) FILTER (WHERE kind = 'unreadable') AS unreadable,
    count(*) FILTER (WHERE kind = 'absent') AS absent,
    count(*) FILTER (WHERE kind = 'null') AS json_null,
    count(*) FILTER (WHERE kind = 'empty') AS empty,
    count(*) FILTER (WHERE kind = 'word') AS word
FROM images
GROUP BY GROUPING SETS ((field, era, source), (field, era))
ORDER BY field, source NULLS FIRST, try_cast(era[2:] AS INTEGER);
