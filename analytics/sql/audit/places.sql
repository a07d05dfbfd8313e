-- File and position of challenges by their place in a life.
SELECT placed.ordinal, media.file, media.position
FROM audit_order AS placed
INNER JOIN media ON media.rowid = placed.media_row
WHERE placed.ordinal IN (SELECT unnest($ordinals));
