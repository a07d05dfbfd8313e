-- Challenges by source. E4 and E5 log none, as all their images are real; a NULL elsewhere is a gap.
SELECT
    source,
    source IS NULL AND era IN ('E4', 'E5') AS before_sources,
    count(*) AS challenges
FROM media
GROUP BY source, before_sources
ORDER BY source NULLS LAST, before_sources;
