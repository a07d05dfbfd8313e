-- Of the challenges only what decides which are new; their other columns wait outside, by `seq`.
CREATE OR REPLACE TEMP TABLE stage_media AS
SELECT
    0::BIGINT AS seq,
    challenge_id,
    run_id,
    segment,
    step,
    file,
    position,
    time,
    era,
    era_candidates,
    era_evidence
FROM media LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_series AS
SELECT 0::BIGINT AS seq, ''::VARCHAR AS file, false AS logged, * FROM history_series LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_runs AS SELECT * FROM runs LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_rejects AS SELECT * FROM rejects LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_files (file VARCHAR);
CREATE OR REPLACE TEMP TABLE stage_grown (file VARCHAR, records BIGINT);
CREATE OR REPLACE TEMP TABLE stage_logs AS SELECT * FROM logs LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_rewritten AS
SELECT *, ''::VARCHAR AS older_name FROM logs LIMIT 0;
CREATE OR REPLACE TEMP TABLE stage_renames (old_name VARCHAR, new_name VARCHAR);
