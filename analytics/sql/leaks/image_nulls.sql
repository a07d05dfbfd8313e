-- NULL kinds of every metadata field ('' = a value) by source image, era, source and label, with the
-- number of challenges that they share; kinds sort by name. Challenges whose image is not named have
-- no parquet and row, and those of equal kinds are one row.
CREATE OR REPLACE TEMP VIEW image_nulls AS
SELECT
    CASE WHEN row IS NOT NULL THEN parquet END AS parquet,
    CASE WHEN parquet IS NOT NULL THEN row END AS row,
    era,
    CASE WHEN source IS NULL AND era IN ('E4', 'E5') THEN 'real'
        ELSE coalesce(source, 'not logged') END AS source,
    label,
    coalesce(COLUMNS('^.*_null$'), '')
        ::ENUM ('', 'absent', 'empty', 'null', 'unreadable', 'word'),
    count(*) AS challenges
FROM media
GROUP BY ALL;
