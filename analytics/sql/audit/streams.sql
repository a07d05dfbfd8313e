-- Every challenge in its stream: what a segment of a W&B run or a file holds, in its own order. Files of one
-- record (a folder of media HTML files) are one stream together, in order of the step in their names
-- or of the names themselves, record_2 before record_10.
CREATE OR REPLACE TEMP TABLE audit_streams AS
WITH counted AS (
    SELECT
        rowid AS media_row,
        challenge_id,
        file,
        time,
        run_id,
        coalesce(step, position) AS place,
        segment,
        run_id IS NULL AND count(*) OVER (PARTITION BY run_id, file) = 1 AS single
    FROM media
),

named AS (
    SELECT
        *,
        CASE
            WHEN single THEN 'single records'
            ELSE coalesce('run ' || run_id || ' segment ' || segment, 'file ' || file)
        END AS name,
        CASE WHEN single THEN regexp_replace(file, '\d+', '', 'g') END AS letters,
        CASE
            WHEN single
                THEN list_transform(regexp_extract_all(file, '\d+'), lambda n: n::DOUBLE)
        END AS numbers
    FROM counted
)

SELECT
    media_row,
    challenge_id,
    dense_rank() OVER (ORDER BY name) - 1 AS stream,
    row_number() OVER (PARTITION BY name ORDER BY place, letters, numbers, file) - 1 AS place,
    count(*) OVER (PARTITION BY name) AS records,
    time,
    file
FROM named;
