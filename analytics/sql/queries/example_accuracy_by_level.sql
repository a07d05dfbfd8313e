-- Accuracy of all miners by augmentation level
SELECT
    media.aug_level,
    count(*) AS answers,
    avg((round_even(prediction, 0) = media.label)::INTEGER) AS accuracy
FROM responses
JOIN media USING (challenge_id)
WHERE prediction BETWEEN 0 AND 1
GROUP BY ALL
ORDER BY ALL
