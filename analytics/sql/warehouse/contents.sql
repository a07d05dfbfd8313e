-- What was read into the store, a row a log, and how much that is.
SELECT
    file,
    sha256,
    kind,
    replaced,
    (SELECT count(*) FROM media) AS challenges,
    (SELECT count(*) FROM responses) AS responses
FROM logs
ORDER BY ALL;
