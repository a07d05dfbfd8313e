-- Every challenge of a kept order, with what scores and intervals need of it. $uid: those that it
-- was asked; NULL: all.
CREATE OR REPLACE TEMP TABLE ordered_challenges AS
SELECT
    kept.ordinal,
    kept.life,
    kept.media_row,
    media.challenge_id,
    media.label,
    hash(coalesce(media.parquet || ':' || media.row, media.challenge_id)) AS image
FROM kept_order_rows AS kept
INNER JOIN media ON media.rowid = kept.media_row
WHERE $uid IS NULL
    OR media.challenge_id IN (SELECT challenge_id FROM responses WHERE uid = $uid);
