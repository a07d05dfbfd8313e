-- Every challenge in its stream: what a segment of a W&B run or a file holds, in its own order: by
-- step in a run; in a file by time where all of it has one, else by position. Files of one record (a
-- folder of media HTML files) are one stream a folder, in order of the step in their names or of the
-- names themselves, record_2 before record_10.
CREATE OR REPLACE TEMP TABLE life_streams AS
WITH folders AS (
    SELECT file, min(regexp_replace(path, '[^/\\]*$', '')) AS folder FROM logs GROUP BY file
),

counted AS (
    SELECT
        rowid AS media_row,
        challenge_id,
        file,
        position,
        time,
        run_id,
        segment,
        coalesce(step, position) AS step,
        run_id IS NULL AND count(*) OVER (PARTITION BY run_id, file) = 1 AS single
    FROM media
),

named AS (
    SELECT
        counted.*,
        CASE WHEN counted.run_id IS NULL AND NOT counted.single THEN counted.file END AS alone,
        CASE WHEN counted.single THEN coalesce(folders.folder, '') END AS folder,
        CASE WHEN counted.single THEN regexp_replace(counted.file, '\d+', '', 'g') END AS letters,
        CASE
            WHEN counted.single
                THEN list_transform(regexp_extract_all(counted.file, '\d+'), lambda n: n::DOUBLE)
        END AS numbers
    FROM counted
    LEFT JOIN folders USING (file)
),

timed AS (
    SELECT
        *,
        CASE
            WHEN run_id IS NULL AND count(time) OVER one_stream = count(*) OVER one_stream THEN time
        END AS own_time
    FROM named
    WINDOW one_stream AS (PARTITION BY run_id, segment, alone, folder)
)

SELECT
    media_row,
    challenge_id,
    dense_rank() OVER (ORDER BY run_id, segment, alone, folder) - 1 AS stream,
    row_number() OVER (
        PARTITION BY run_id, segment, alone, folder
        ORDER BY own_time, step, letters, numbers, file, position, challenge_id
    ) - 1 AS ordinal_in_stream,
    run_id,
    segment
FROM timed;
