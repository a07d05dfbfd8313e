-- File and position of records by their ordinal in the order of the audit.
SELECT placed.ordinal, media.file, media.position
FROM audit_order AS placed
INNER JOIN media ON media.rowid = placed.media_row
WHERE placed.ordinal IN (SELECT unnest($ordinals));
