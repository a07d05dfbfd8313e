-- (run, segment, step) identifies one challenge: the one that was read first. Others are rejected.
CREATE OR REPLACE TEMP TABLE stage_conflicts AS
WITH claims AS (
    SELECT run_id, segment, step, challenge_id, -1 AS seq FROM media WHERE run_id IS NOT NULL
    UNION ALL
    SELECT run_id, segment, step, challenge_id, seq FROM stage_media WHERE run_id IS NOT NULL
),

owners AS (
    SELECT run_id, segment, step, arg_min(challenge_id, seq) AS owner
    FROM claims
    GROUP BY run_id, segment, step
)

SELECT staged.seq, staged.file, staged.position, staged.run_id, staged.step, staged.challenge_id,
    owners.owner
FROM stage_media AS staged
INNER JOIN owners
    ON staged.run_id = owners.run_id
    AND staged.segment = owners.segment
    AND staged.step = owners.step
WHERE staged.challenge_id <> owners.owner;

INSERT INTO stage_rejects
SELECT
    file,
    position,
    NULL AS field,
    'record: found other content for step ' || step || ' of run ' || run_id
    || '; expected challenge ' || owner || ', which was read first' AS reason,
    'challenge ' || challenge_id AS excerpt
FROM stage_conflicts;

DELETE FROM stage_media WHERE seq IN (SELECT seq FROM stage_conflicts);
