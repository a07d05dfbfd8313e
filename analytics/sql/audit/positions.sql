-- File and position of records by their ordinal in the order of the audit.
SELECT ordered.ordinal, media.file, media.position
FROM audit_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row
WHERE ordered.ordinal IN (SELECT unnest($ordinals));
