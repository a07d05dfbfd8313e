-- A path whose content was replaced (rotated, cut at its head, mended) is read anew: a challenge
-- stands where its log holds it now, else in another log of this ingest, such as the one that the
-- old file was renamed to; what none of them holds any more is the log `older_name`. The same for
-- what an earlier ingest has called so.
CREATE OR REPLACE TEMP TABLE stage_placed AS
WITH older AS (
    SELECT file, older_name FROM stage_rewritten
    UNION ALL
    SELECT file, file AS older_name FROM logs WHERE replaced IS NOT NULL
),

standing AS (
    SELECT media.challenge_id, media.file, media.position, older.older_name
    FROM media
    INNER JOIN older USING (file)
),

read AS (
    SELECT
        standing.challenge_id,
        arg_min(
            {'file': staged.file, 'position': staged.position},
            (staged.file <> standing.file, staged.seq)
        ) AS place
    FROM standing
    INNER JOIN stage_media AS staged USING (challenge_id)
    GROUP BY standing.challenge_id
)

SELECT
    challenge_id,
    standing.file AS old_file,
    coalesce(read.place.file, standing.older_name) AS file,
    coalesce(read.place.position, standing.position) AS position
FROM standing
LEFT JOIN read USING (challenge_id)
WHERE (standing.file, standing.position) <> (
    coalesce(read.place.file, standing.older_name),
    coalesce(read.place.position, standing.position)
);

-- logs of which nothing that they held is in them now: rotated, not mended
CREATE OR REPLACE TEMP TABLE stage_rotated AS
SELECT file, older_name FROM stage_rewritten
WHERE older_name IN (SELECT file FROM stage_placed)
    AND file NOT IN (
        SELECT media.file
        FROM media
        INNER JOIN stage_media AS staged
            ON media.challenge_id = staged.challenge_id AND media.file = staged.file
    );

UPDATE media SET file = placed.file, position = placed.position
FROM stage_placed AS placed
WHERE media.challenge_id = placed.challenge_id;

INSERT INTO logs
SELECT older_name, path, sha256, kind, replaced
FROM stage_rewritten
WHERE older_name IN (SELECT file FROM stage_placed);

-- the rejects of a rotated log are kept
UPDATE rejects SET file = rotated.older_name
FROM stage_rotated AS rotated
WHERE rejects.file = rotated.file;

CREATE OR REPLACE TEMP TABLE stage_left AS
SELECT file FROM logs WHERE replaced IS NOT NULL AND file NOT IN (SELECT file FROM media);

DELETE FROM logs WHERE file IN (SELECT file FROM stage_left);
DELETE FROM rejects WHERE file IN (SELECT file FROM stage_left);
