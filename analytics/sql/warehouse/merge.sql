-- Equal content is one challenge, whichever form came first; a form that knows the run names it. It
-- stays of the run that it is known of: its content and time can be copied into a run of another's.
CREATE OR REPLACE TEMP TABLE stage_owners AS
SELECT challenge_id, coalesce(any_value(media.run_id), arg_min(staged.run_id, staged.seq)) AS run_id
FROM stage_media AS staged
LEFT JOIN media USING (challenge_id)
WHERE staged.run_id IS NOT NULL
GROUP BY challenge_id;

CREATE OR REPLACE TEMP TABLE stage_named AS
SELECT staged.* FROM stage_media AS staged
INNER JOIN stage_owners USING (challenge_id, run_id)
QUALIFY row_number() OVER (PARTITION BY challenge_id ORDER BY time IS NULL, seq) = 1;

CREATE OR REPLACE TEMP TABLE stage_renamed AS
SELECT named.* FROM stage_named AS named
INNER JOIN media USING (challenge_id)
WHERE media.run_id IS NULL
    -- the same run, read while it was live or downloaded without its history, which has the time
    OR (media.run_id = named.run_id AND media.time IS NULL AND named.time IS NOT NULL);

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
