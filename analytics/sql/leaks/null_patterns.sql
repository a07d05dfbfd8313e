-- How NULL kinds of each metadata field go with the label, by era and source and over all of them.
-- Repeats of a source image are not independent, so a row is a pattern: a number of images whose
-- challenges all have the same counts of labels and NULL kinds (kind '' = a value). To a bootstrap
-- over images those are interchangeable, which keeps a year of challenges small. Unless $every, only
-- those of $era and $source, NULL for all.
WITH numbered AS (
    -- an image that is sent once needs no name: all of its kind are counted at once
    SELECT
        * EXCLUDE (image),
        CASE WHEN count(*) OVER (PARTITION BY image) > 1 THEN image END AS image
    FROM (
        SELECT
            era,
            CASE WHEN source IS NULL AND era IN ('E4', 'E5') THEN 'real'
                ELSE coalesce(source, 'not logged') END AS source,
            label,
            hash(coalesce(parquet || ':' || row, challenge_id)) AS image,
            coalesce(COLUMNS('^(.*)_null$'), '') AS '\1'
        FROM media
    )
),

combined AS (
    SELECT *, count(*) AS challenges FROM numbered GROUP BY ALL
),

fields AS (
    UNPIVOT combined
    ON COLUMNS(* EXCLUDE (era, source, label, image, challenges))
    INTO NAME field VALUE kind
),

counted AS (
    SELECT
        field,
        era,
        source,
        image,
        label,
        kind,
        sum(challenges)::BIGINT AS challenges
    FROM fields
    GROUP BY field, image, label, kind, CUBE (era, source)
    HAVING $every OR (era IS NOT DISTINCT FROM $era AND source IS NOT DISTINCT FROM $source)
),

patterns AS (
    SELECT
        field,
        era,
        source,
        [{'label': label, 'kind': kind, 'challenges': 1::BIGINT}] AS cells,
        challenges AS images
    FROM counted
    WHERE image IS NULL
    UNION ALL
    SELECT
        field,
        era,
        source,
        list({'label': label, 'kind': kind, 'challenges': challenges} ORDER BY label, kind) AS cells,
        1 AS images
    FROM counted
    WHERE image IS NOT NULL
    GROUP BY field, era, source, image
)

SELECT
    field,
    era,
    source,
    cells,
    sum(images)::BIGINT AS images
FROM patterns
GROUP BY field, era, source, cells
ORDER BY field, try_cast(era[2:] AS INTEGER) NULLS FIRST, source NULLS FIRST, cells;
