-- The first and the last record of each piece of a stream.
WITH asked AS (
    SELECT challenge_id, list(uid) AS uids, bool_and(accuracy IN (0, 1)) AS fresh
    FROM responses
    SEMI JOIN (SELECT challenge_id FROM life_pieces WHERE first) AS firsts USING (challenge_id)
    GROUP BY challenge_id
),

began AS (
    SELECT run_id, segment, min(started) AS started FROM runs GROUP BY run_id, segment
)

SELECT
    pieces.stream,
    pieces.piece,
    pieces.first,
    pieces.last,
    pieces.run_id,
    pieces.segment,
    coalesce(media.time, began.started) AS time,
    media.file,
    media.era,
    media.scores,
    coalesce(asked.uids, []) AS uids,
    coalesce(asked.fresh, false) AS fresh
FROM life_pieces AS pieces
INNER JOIN media ON media.rowid = pieces.media_row
LEFT JOIN asked ON asked.challenge_id = pieces.challenge_id
LEFT JOIN began ON began.run_id = pieces.run_id AND began.segment = pieces.segment
WHERE pieces.first OR pieces.last
ORDER BY pieces.stream, pieces.ordinal_in_stream;
