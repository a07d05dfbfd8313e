-- Every challenge in its stream: what a segment of a W&B run or a file holds, in its own order: by
-- step in a run; in a file by time where all of it has one, else by position. Files of one record (a
-- folder of media HTML files) are one stream a folder, in order of the step in their names or of the
-- names themselves, record_2 before record_10.
--
-- `life_files`: what one file holds of a stream, few rows beside those of `life_streams`, whose sort
-- takes their numbers in place of names.
CREATE OR REPLACE TEMP TABLE life_files AS
WITH folders AS (
    SELECT file, min(regexp_replace(path, '[^/\\]*$', '')) AS folder FROM logs GROUP BY file
),

counted AS (
    SELECT run_id, segment, file, count(*) AS challenges, count(time) AS timed
    FROM media
    GROUP BY run_id, segment, file
),

told AS (
    SELECT *, run_id IS NULL AND sum(challenges) OVER (PARTITION BY run_id, file) = 1 AS single
    FROM counted
),

named AS (
    SELECT
        told.*,
        CASE WHEN told.run_id IS NULL AND NOT told.single THEN told.file END AS alone,
        CASE WHEN told.single THEN coalesce(folders.folder, '') END AS folder,
        CASE WHEN told.single THEN regexp_replace(told.file, '\d+', '', 'g') END AS letters,
        CASE
            WHEN told.single
                THEN list_transform(regexp_extract_all(told.file, '\d+'), lambda n: n::DOUBLE)
        END AS numbers
    FROM told
    LEFT JOIN folders USING (file)
)

SELECT
    run_id,
    segment,
    file,
    (dense_rank() OVER (ORDER BY run_id, segment, alone, folder) - 1)::INTEGER AS stream,
    (row_number() OVER (ORDER BY letters, numbers, file))::INTEGER AS file_ordinal,
    run_id IS NULL AND sum(timed) OVER one_stream = sum(challenges) OVER one_stream AS by_time
FROM named
WINDOW one_stream AS (PARTITION BY run_id, segment, alone, folder);

CREATE OR REPLACE TEMP TABLE life_streams AS
SELECT
    media.rowid AS media_row,
    files.stream,
    (
        row_number() OVER (
            PARTITION BY files.stream
            ORDER BY
                CASE WHEN files.by_time THEN media.time END,
                coalesce(media.step, media.position),
                files.file_ordinal,
                media.position,
                media.challenge_id
        ) - 1
    )::INTEGER AS ordinal_in_stream
FROM media
INNER JOIN life_files AS files
    ON
        media.file = files.file
        AND media.run_id IS NOT DISTINCT FROM files.run_id
        AND media.segment IS NOT DISTINCT FROM files.segment;
