-- Every chosen challenge at its place: lives one after the other, each in its own order.
CREATE OR REPLACE TEMP TABLE life_order AS
SELECT
    (
        row_number() OVER (ORDER BY placed.life, placed.chain, placed.place, streams.place) - 1
    )::BIGINT AS ordinal,
    placed.life,
    placed.chain,
    streams.media_row,
    streams.challenge_id
FROM life_streams AS streams
INNER JOIN stream_places AS placed USING (stream)
WHERE ($lives IS NULL OR placed.life IN (SELECT unnest($lives)))
    AND ($run IS NULL OR streams.run_id = $run)
ORDER BY ordinal;
