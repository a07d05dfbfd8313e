-- A log of which there are two copies is read twice, and has its rejects twice.
CREATE OR REPLACE TEMP TABLE stage_rejects_once AS SELECT DISTINCT * FROM stage_rejects;
DELETE FROM stage_rejects;
INSERT INTO stage_rejects SELECT * FROM stage_rejects_once ORDER BY ALL;

-- The rejects of a log are those of its last reading, and of what was read before it grew.
INSERT INTO stage_rejects
SELECT * FROM rejects WHERE file IN (SELECT file FROM stage_grown);

CREATE OR REPLACE TEMP TABLE stage_rejects_before AS
SELECT * FROM rejects WHERE file IN (SELECT file FROM stage_files);

DELETE FROM rejects WHERE file IN (SELECT file FROM stage_files);
INSERT INTO rejects SELECT * FROM stage_rejects ORDER BY file, position;

CREATE OR REPLACE TEMP TABLE stage_runs_before AS
SELECT * FROM runs WHERE file IN (SELECT file FROM stage_files);

DELETE FROM runs WHERE file IN (SELECT file FROM stage_files);
-- a copy of a run folder is the same run
DELETE FROM stage_runs WHERE rowid NOT IN (
    SELECT min(rowid) FROM stage_runs GROUP BY run_id, file, segment
);
INSERT INTO runs SELECT * FROM stage_runs ORDER BY file;
