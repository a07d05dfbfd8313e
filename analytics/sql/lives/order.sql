-- All chosen challenges in order: lives one after the other, each in its own order.
CREATE OR REPLACE TEMP TABLE life_order AS
WITH chosen AS (
    SELECT ordered.*, pieces.first, pieces.last
    FROM piece_order AS ordered
    INNER JOIN life_pieces AS pieces USING (stream, piece)
    WHERE ($lives IS NULL OR ordered.life IN (SELECT unnest($lives)))
        AND (
            $run IS NULL
            OR ordered.stream IN (SELECT stream FROM life_files WHERE run_id = $run)
        )
),

placed AS (
    SELECT
        *,
        sum(last - first + 1) OVER (ORDER BY piece_ordinal) - last - 1 AS to_ordinal
    FROM chosen
)

SELECT
    (placed.to_ordinal + streams.ordinal_in_stream)::BIGINT AS ordinal,
    placed.life,
    placed.chain,
    streams.media_row
FROM life_streams AS streams
ASOF INNER JOIN placed
    ON streams.stream = placed.stream AND streams.ordinal_in_stream >= placed.first
WHERE streams.ordinal_in_stream <= placed.last
ORDER BY ordinal;
