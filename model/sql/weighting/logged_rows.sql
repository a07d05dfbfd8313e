-- Which source row each challenge shows; one that names none is left out.
SELECT challenge_id, parquet AS source, row
FROM media
WHERE parquet IS NOT NULL AND row IS NOT NULL
ORDER BY challenge_id;
