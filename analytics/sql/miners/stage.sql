-- The selected challenges by their ordinal in validators' lives (see analytics/lives/order.py), and
-- the miners that they asked, a (uid, hotkey) pair each, with dense numbers. An image is a row of a
-- shard; one that names none is its own.
CREATE OR REPLACE TEMP TABLE stage_challenges AS
SELECT
    ordered.ordinal,
    ordered.life,
    dense_rank() OVER (
        ORDER BY coalesce(media.parquet || ':' || media.row, media.challenge_id)
    ) - 1 AS image,
    media.challenge_id,
    media.label,
    media.time,
    coalesce(media.parquet || ':' || media.row, media.challenge_id) AS source_image,
    media.parquet IS NOT NULL AND media.row IS NOT NULL AS names_row
FROM life_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row;

CREATE OR REPLACE TEMP TABLE stage_miners AS
SELECT row_number() OVER (ORDER BY uid, hotkey) - 1 AS miner, uid, hotkey
FROM (SELECT DISTINCT uid, hotkey FROM responses SEMI JOIN stage_challenges USING (challenge_id));
