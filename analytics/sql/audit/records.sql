-- Records of a chunk, in order of life; see span.sql for the bounds.
SELECT media.label, media.era, media.scores
FROM audit_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row
WHERE ordered.ordinal BETWEEN $first AND $last
    AND media.rowid BETWEEN $first_media AND $last_media
ORDER BY ordered.ordinal;
