-- Streams cut to pieces before the records in `life_cuts`, a row each: its first and last record by
-- ordinal in the stream. A stream that was not cut is one piece.
CREATE OR REPLACE TEMP TABLE life_pieces AS
WITH starts AS (
    SELECT stream, 0 AS first FROM life_streams GROUP BY stream
    UNION ALL
    SELECT streams.stream, streams.ordinal_in_stream
    FROM life_streams AS streams
    INNER JOIN life_cuts USING (media_row)
),

ends AS (
    SELECT stream, max(ordinal_in_stream) AS last FROM life_streams GROUP BY stream
)

SELECT
    starts.stream,
    row_number() OVER one_stream - 1 AS piece,
    starts.first,
    coalesce(lead(starts.first) OVER one_stream - 1, ends.last) AS last
FROM starts
INNER JOIN ends USING (stream)
WINDOW one_stream AS (PARTITION BY starts.stream ORDER BY starts.first);
