-- The first and the last record of each piece of a stream.
WITH ends AS (
    SELECT
        *,
        ordinal_in_stream = first AS is_first,
        ordinal_in_stream = last AS is_last
    FROM (
        SELECT *, unnest(list_distinct([first, last])) AS ordinal_in_stream FROM life_pieces
    )
),

records AS (
    SELECT ends.*, media.*
    FROM ends
    INNER JOIN life_streams AS streams USING (stream, ordinal_in_stream)
    INNER JOIN media ON media.rowid = streams.media_row
),

asked AS (
    SELECT challenge_id, list(uid) AS uids, bool_and(accuracy IN (0, 1)) AS fresh
    FROM responses
    SEMI JOIN (SELECT challenge_id FROM records WHERE is_first) AS firsts USING (challenge_id)
    GROUP BY challenge_id
),

began AS (
    SELECT run_id, segment, min(started) AS started FROM runs GROUP BY run_id, segment
)

SELECT
    records.stream,
    records.piece,
    records.is_first,
    records.is_last,
    records.run_id,
    records.segment,
    coalesce(records.time, began.started) AS time,
    records.file,
    records.era,
    records.scores,
    coalesce(asked.uids, []) AS uids,
    coalesce(asked.fresh, false) AS fresh
FROM records
LEFT JOIN asked ON asked.challenge_id = records.challenge_id
LEFT JOIN began ON began.run_id = records.run_id AND began.segment = records.segment
ORDER BY records.stream, records.ordinal_in_stream;
