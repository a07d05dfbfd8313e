-- How far each log was read: reading can go on behind the last record of one that held still while
-- it was read. A record that was rejected whole may have been cut off: then all is read again.
UPDATE logs SET records = coalesce(
    (SELECT max(staged.position) + 1 FROM stage_media AS staged WHERE staged.file = logs.file),
    (SELECT max(grown.records) FROM stage_grown AS grown WHERE grown.file = logs.file)
)
WHERE replaced IS NULL
    AND file IN (SELECT unnest($still))
    AND file NOT IN (SELECT file FROM rejects WHERE field IS NULL);
