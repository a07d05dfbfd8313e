-- Put the segment of each part (`segment_of_part`) to its rows, and to those of a part that an
-- earlier ingest took for another segment.
CREATE OR REPLACE TEMP TABLE stage_moved AS
SELECT DISTINCT part.run_id, part.segment, part.first_step, part.last_step, now.segment AS moved_to
FROM stage_parts AS part
INNER JOIN segment_of_part AS now USING (part)
WHERE part.segment <> now.segment;

UPDATE media SET segment = moved.moved_to
FROM stage_moved AS moved
WHERE media.run_id = moved.run_id
    AND media.segment = moved.segment
    AND media.step BETWEEN moved.first_step AND moved.last_step;

UPDATE history_series SET segment = moved.moved_to
FROM stage_moved AS moved
WHERE history_series.run_id = moved.run_id
    AND history_series.segment = moved.segment
    AND history_series.step BETWEEN moved.first_step AND moved.last_step;

UPDATE runs SET segment = moved.moved_to
FROM stage_moved AS moved
WHERE runs.run_id = moved.run_id
    AND runs.segment = moved.segment
    AND runs.first_step = moved.first_step
    AND runs.last_step = moved.last_step;

CREATE OR REPLACE TEMP TABLE stage_segments AS
SELECT part.run_id, part.file, part.part_of_log, part.first_step, part.last_step, now.segment
FROM stage_parts AS part
INNER JOIN segment_of_part AS now USING (part)
WHERE part.segment IS NULL;

UPDATE stage_media SET segment = now.segment
FROM stage_segments AS now
WHERE stage_media.run_id = now.run_id
    AND stage_media.file = now.file
    AND stage_media.segment = now.part_of_log;

UPDATE stage_series SET segment = now.segment
FROM stage_segments AS now
WHERE stage_series.run_id = now.run_id AND stage_series.file = now.file AND now.part_of_log = 0;

CREATE OR REPLACE TEMP TABLE stage_runs_by_segment AS
SELECT run.* REPLACE (
    coalesce(now.segment, run.segment) AS segment,
    now.first_step AS first_step,
    now.last_step AS last_step
)
FROM stage_runs AS run
LEFT JOIN stage_segments AS now ON run.run_id = now.run_id AND run.file = now.file;

DELETE FROM stage_runs;
INSERT INTO stage_runs SELECT * FROM stage_runs_by_segment ORDER BY ALL;
