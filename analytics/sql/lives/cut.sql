-- Records that no run orders, with their scores and how many miners each asked: do its scores follow
-- from those of the one before?
WITH records AS (
    SELECT streams.stream, streams.ordinal_in_stream, streams.media_row, media.challenge_id
    FROM life_streams AS streams
    INNER JOIN media ON media.rowid = streams.media_row
    WHERE media.run_id IS NULL
),

answers AS (
    SELECT challenge_id, count(*) AS asked
    FROM responses
    SEMI JOIN records USING (challenge_id)
    GROUP BY challenge_id
)

SELECT
    records.stream,
    records.media_row,
    media.scores,
    coalesce(answers.asked, 0) AS asked
FROM records
INNER JOIN media ON media.rowid = records.media_row
LEFT JOIN answers ON answers.challenge_id = records.challenge_id
ORDER BY records.stream, records.ordinal_in_stream;
