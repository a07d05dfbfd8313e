-- All chosen challenges in order: lives one after the other, each in its own order.
CREATE OR REPLACE TEMP TABLE life_order AS
SELECT
    (
        row_number() OVER (ORDER BY ordered.piece_ordinal, pieces.ordinal_in_stream) - 1
    )::BIGINT AS ordinal,
    ordered.life,
    ordered.chain,
    pieces.media_row,
    pieces.challenge_id
FROM life_pieces AS pieces
INNER JOIN piece_order AS ordered USING (stream, piece)
WHERE ($lives IS NULL OR ordered.life IN (SELECT unnest($lives)))
    AND ($run IS NULL OR pieces.run_id = $run)
ORDER BY ordinal;
