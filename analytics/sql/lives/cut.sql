-- Records that no run orders, with what tells whether each goes on from the one before: its scores,
-- and how many miners it asked.
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
ORDER BY streams.stream, streams.place;
