-- Records of a chunk, in order of life; see span.sql for the bounds.
SELECT media.label, media.era, media.scores
FROM audit_order AS placed
INNER JOIN media ON media.rowid = placed.media_row
WHERE placed.ordinal BETWEEN $first AND $last
    AND media.rowid BETWEEN $first_media AND $last_media
ORDER BY placed.ordinal;
