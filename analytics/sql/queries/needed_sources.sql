-- Rows of the public data set that challenges name, by shard; challenges that name none come last.
-- A NULL source is an era before E6, when every image was real.
SELECT
    parquet,
    count(DISTINCT row) AS rows,
    count(*) AS challenges
FROM media
WHERE source IS NULL OR source = 'real'
GROUP BY parquet
ORDER BY parquet NULLS LAST;
