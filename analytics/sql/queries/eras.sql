-- Challenges by era and by all eras that the evidence allows.
SELECT
    era,
    era_candidates AS candidates,
    count(*) AS challenges
FROM media
GROUP BY era, era_candidates
ORDER BY try_cast(era[2:] AS INTEGER), len(era_candidates), era_candidates;
