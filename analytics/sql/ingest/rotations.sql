-- A path whose content was replaced (rotated, truncated at its start, repaired) is read anew. A
-- challenge is in the file that holds it now: its own log, else another log of this ingest, such as
-- the one that the old file was renamed to; what none of them holds any more is the log
-- `older_name`. The same for what an earlier ingest has called so.
CREATE OR REPLACE TEMP TABLE stage_moved AS
WITH older AS (
    SELECT file, older_name FROM stage_rewritten
    UNION ALL
    SELECT file, file AS older_name FROM logs WHERE replaced IS NOT NULL
),

held AS (
    SELECT media.challenge_id, media.file, media.position, older.older_name
    FROM media
    INNER JOIN older USING (file)
),

read AS (
    SELECT
        held.challenge_id,
        arg_min(
            {'file': staged.file, 'position': staged.position},
            (staged.file <> held.file, staged.seq)
        ) AS position_now
    FROM held
    INNER JOIN stage_media AS staged USING (challenge_id)
    GROUP BY held.challenge_id
)

SELECT
    challenge_id,
    held.file AS old_file,
    coalesce(read.position_now.file, held.older_name) AS file,
    coalesce(read.position_now.position, held.position) AS position
FROM held
LEFT JOIN read USING (challenge_id)
WHERE (held.file, held.position) <> (
    coalesce(read.position_now.file, held.older_name),
    coalesce(read.position_now.position, held.position)
);

-- logs of which nothing that they held is in them now: rotated, not repaired
CREATE OR REPLACE TEMP TABLE stage_rotated AS
SELECT file, older_name FROM stage_rewritten
WHERE older_name IN (SELECT file FROM stage_moved)
    AND file NOT IN (
        SELECT media.file
        FROM media
        INNER JOIN stage_media AS staged
            ON media.challenge_id = staged.challenge_id AND media.file = staged.file
    );

UPDATE media SET file = moved.file, position = moved.position
FROM stage_moved AS moved
WHERE media.challenge_id = moved.challenge_id;

INSERT INTO logs
SELECT older_name, path, sha256, bytes, records, kind, state, reader, replaced
FROM stage_rewritten
WHERE older_name IN (SELECT file FROM stage_moved);

-- the rejects of a rotated log are kept
UPDATE rejects SET file = rotated.older_name
FROM stage_rotated AS rotated
WHERE rejects.file = rotated.file;

CREATE OR REPLACE TEMP TABLE stage_left AS
SELECT file FROM logs WHERE replaced IS NOT NULL AND file NOT IN (SELECT file FROM media);

DELETE FROM logs WHERE file IN (SELECT file FROM stage_left);
DELETE FROM rejects WHERE file IN (SELECT file FROM stage_left);
