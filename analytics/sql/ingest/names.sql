-- The logs of this ingest, and the new names of known ones that a new one clashes with.
UPDATE media SET file = renames.new_name
FROM stage_renames AS renames
WHERE media.file = renames.old_name;

UPDATE runs SET file = renames.new_name
FROM stage_renames AS renames
WHERE runs.file = renames.old_name;

UPDATE rejects SET file = renames.new_name
FROM stage_renames AS renames
WHERE rejects.file = renames.old_name;

UPDATE logs SET file = renames.new_name
FROM stage_renames AS renames
WHERE logs.file = renames.old_name;

DELETE FROM logs WHERE replaced IS NULL AND path IN (SELECT path FROM stage_logs);
INSERT INTO logs SELECT * FROM stage_logs;
