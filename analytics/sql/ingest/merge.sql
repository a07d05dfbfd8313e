-- Equal content is one challenge, whichever form came first; a form that knows the run names it. It
-- stays of the run that it was first known of: content and times can be copied into another's run.
-- Only a folder's name, and a run in a false name, give way to a run's own id.
CREATE OR REPLACE TEMP TABLE stage_owners AS
WITH own_ids AS (
    SELECT run_id
    FROM (
        SELECT run_id, file, signature FROM runs
        UNION ALL
        SELECT run_id, file, signature FROM stage_runs
    )
    GROUP BY run_id
    HAVING bool_or(is_own_id(run_id, file)) AND run_signature(signature) <> 'false'
),

claims AS (
    SELECT challenge_id, run_id, -1 AS seq, time IS NOT NULL AS is_sure
    FROM media
    WHERE run_id IS NOT NULL AND challenge_id IN (SELECT challenge_id FROM stage_media)
    UNION ALL
    SELECT challenge_id, run_id, seq, false AS is_sure FROM stage_media WHERE run_id IS NOT NULL
)

SELECT
    challenge_id,
    arg_min(run_id, (NOT (is_sure OR run_id IN (SELECT run_id FROM own_ids)), seq)) AS run_id
FROM claims
GROUP BY challenge_id;

CREATE OR REPLACE TEMP TABLE stage_named AS
SELECT staged.* FROM stage_media AS staged
INNER JOIN stage_owners USING (challenge_id, run_id)
QUALIFY row_number() OVER (PARTITION BY challenge_id ORDER BY time IS NULL, seq) = 1;

CREATE OR REPLACE TEMP TABLE stage_renamed AS
SELECT named.* FROM stage_named AS named
INNER JOIN media USING (challenge_id)
WHERE media.run_id IS NULL
    OR media.run_id <> named.run_id
    -- the same run, read while it was live or downloaded without its history, which has the time
    OR (media.time IS NULL AND named.time IS NOT NULL);

CREATE OR REPLACE TEMP TABLE stage_new AS
SELECT * FROM stage_media
WHERE challenge_id NOT IN (SELECT challenge_id FROM media)
QUALIFY row_number() OVER (PARTITION BY challenge_id ORDER BY seq) = 1;

UPDATE media SET
    run_id = named.run_id,
    segment = named.segment,
    step = named.step,
    time = named.time,
    era = named.era,
    era_candidates = named.era_candidates,
    era_evidence = named.era_evidence
FROM stage_renamed AS named
WHERE media.challenge_id = named.challenge_id;
