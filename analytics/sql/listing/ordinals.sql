-- Every challenge in order of time, from 0 on; those without one come last, in order of their logs.
CREATE OR REPLACE TEMP TABLE ordinals AS
SELECT
    rowid AS media_row,
    (row_number() OVER (ORDER BY time NULLS LAST, file, position, rowid) - 1)::INTEGER AS ordinal
FROM media;
