-- The first and the last record of each stream: does one go on where another one ends?
WITH asked AS (
    SELECT challenge_id, list(uid) AS uids
    FROM responses
    SEMI JOIN (SELECT challenge_id FROM life_streams WHERE place = 0) AS firsts USING (challenge_id)
    GROUP BY challenge_id
),

began AS (
    SELECT run_id, segment, min(started) AS started FROM runs GROUP BY run_id, segment
)

SELECT
    streams.stream,
    streams.place = 0 AS first,
    streams.place = streams.records - 1 AS last,
    streams.run_id,
    coalesce(media.time, began.started) AS time,
    media.file,
    media.era,
    media.scores,
    coalesce(asked.uids, []) AS uids
FROM life_streams AS streams
INNER JOIN media ON media.rowid = streams.media_row
LEFT JOIN asked ON asked.challenge_id = streams.challenge_id
LEFT JOIN began ON began.run_id = streams.run_id AND began.segment = streams.segment
WHERE streams.place = 0 OR streams.place = streams.records - 1
ORDER BY streams.stream, streams.place;
