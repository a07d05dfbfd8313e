-- Counts of each (uid, hotkey) pair's answers by kind, and its first and last time.
SELECT
    uid,
    hotkey,
    count(*) AS asked,
    count(*) FILTER (WHERE prediction = -1) AS silent,
    count(*) FILTER (WHERE prediction IS NULL) AS not_finite,
    count(*) FILTER (WHERE prediction <> -1 AND NOT prediction BETWEEN 0 AND 1) AS out_of_range,
    count(*) FILTER (WHERE prediction IN (0, 1)) AS zero_or_one,
    count(*) FILTER (WHERE prediction = 0.5) AS half,
    count(DISTINCT prediction) FILTER (WHERE prediction BETWEEN 0 AND 1) AS distinct_answers,
    min(time) AS first_time,
    max(time) AS last_time
FROM responses
INNER JOIN stage_challenges USING (challenge_id)
GROUP BY uid, hotkey
ORDER BY uid, hotkey;
