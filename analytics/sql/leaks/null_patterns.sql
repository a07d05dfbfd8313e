-- How NULL kinds of each metadata field go with the label, by era and source and over all of them.
-- Repeats of a source image are not independent, so a row is a pattern: a number of images whose
-- challenges all have the same counts of labels and NULL kinds (kind '' = a value). To a bootstrap
-- over images those are interchangeable, which keeps a year of challenges small. Unless $every, only
-- those of $era and $source, NULL for all.
WITH chosen AS (
    -- each row once for every group that it counts in
    SELECT
        * EXCLUDE (era, source, eras),
        unnest(eras) AS era,
        CASE WHEN $every THEN [source, NULL] ELSE [$source::VARCHAR] END AS sources
    FROM (
        SELECT *, CASE WHEN $every THEN [era, NULL] ELSE [$era::VARCHAR] END AS eras
        FROM image_nulls
        WHERE $every OR (era = coalesce($era, era) AND source = coalesce($source, source))
    )
),

counted AS (
    SELECT * EXCLUDE (challenges), sum(challenges)::BIGINT AS challenges
    FROM (SELECT * EXCLUDE (sources), unnest(sources) AS source FROM chosen)
    GROUP BY ALL
),

told AS (
    -- nearly every image says the same each time that it is sent: its pattern has one cell
    SELECT
        *,
        parquet IS NOT NULL
            AND count(*) OVER (PARTITION BY parquet, row, era, source) > 1 AS is_mixed
    FROM counted
),

fields AS (
    UNPIVOT told
    ON COLUMNS('^.*_null$')
    INTO NAME field VALUE kind
),

alike AS (
    SELECT
        field,
        era,
        source,
        label,
        kind,
        CASE WHEN parquet IS NULL THEN 1 ELSE challenges END AS challenges,
        sum(CASE WHEN parquet IS NULL THEN challenges ELSE 1 END) AS images
    FROM fields
    WHERE NOT is_mixed
    GROUP BY ALL
),

mixed AS (
    SELECT field, era, source, parquet, row, label, kind, sum(challenges)::BIGINT AS challenges
    FROM fields
    WHERE is_mixed
    GROUP BY ALL
),

patterns AS (
    SELECT
        field,
        era,
        source,
        [{'label': label, 'kind': kind, 'challenges': challenges}] AS cells,
        images
    FROM alike
    UNION ALL
    SELECT
        field,
        era,
        source,
        list({'label': label, 'kind': kind, 'challenges': challenges} ORDER BY label, kind) AS cells,
        1 AS images
    FROM mixed
    GROUP BY field, era, source, parquet, row
)

SELECT
    replace(field, '_null', '') AS field,
    era,
    source,
    cells,
    sum(images)::BIGINT AS images
FROM patterns
GROUP BY field, era, source, cells
ORDER BY field, try_cast(era[2:] AS INTEGER) NULLS FIRST, source NULLS FIRST, cells;
