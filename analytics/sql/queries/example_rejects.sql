-- What could not be read, and why
SELECT reason, field, count(*) AS rejects, any_value(file) AS example
FROM rejects
GROUP BY ALL
ORDER BY rejects DESC
