-- Streams cut to pieces before the records in `life_cuts`; a stream that was not cut is one piece.
CREATE OR REPLACE TEMP TABLE life_pieces AS
WITH numbered AS (
    SELECT
        streams.*,
        count(cuts.media_row) OVER (
            PARTITION BY streams.stream ORDER BY streams.ordinal_in_stream
        ) AS piece
    FROM life_streams AS streams
    LEFT JOIN life_cuts AS cuts USING (media_row)
)

SELECT
    *,
    row_number() OVER one_piece = 1 AS first,
    lead(ordinal_in_stream) OVER one_piece IS NULL AS last
FROM numbered
WINDOW one_piece AS (PARTITION BY stream, piece ORDER BY ordinal_in_stream);
