-- Every chosen challenge at its place: lives one after the other, each in its own order.
CREATE OR REPLACE TEMP TABLE life_order AS
SELECT
    (
        row_number() OVER (ORDER BY placed.life, placed.chain, placed.place, pieces.place) - 1
    )::BIGINT AS ordinal,
    placed.life,
    placed.chain,
    pieces.media_row,
    pieces.challenge_id
FROM life_pieces AS pieces
INNER JOIN piece_places AS placed USING (stream, piece)
WHERE ($lives IS NULL OR placed.life IN (SELECT unnest($lives)))
    AND ($run IS NULL OR pieces.run_id = $run)
ORDER BY ordinal;
