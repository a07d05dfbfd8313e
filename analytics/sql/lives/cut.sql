-- Records that no run orders, with their scores and how many miners each asked: do its scores follow
-- from those of the one before?
SELECT
    streams.stream,
    streams.media_row,
    media.scores,
    coalesce(answers.asked, 0) AS asked
FROM life_streams AS streams
INNER JOIN media ON media.rowid = streams.media_row
LEFT JOIN (
    SELECT challenge_id, count(*) AS asked FROM responses GROUP BY challenge_id
) AS answers ON answers.challenge_id = streams.challenge_id
WHERE streams.run_id IS NULL
ORDER BY streams.stream, streams.ordinal_in_stream;
