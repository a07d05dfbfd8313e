-- Challenges in order of time with dense numbers, and miners, a (uid, hotkey) pair each. Without a
-- time a run's step stands in, then the place in the log. An image is a row of a shard; one that
-- names none is its own.
CREATE OR REPLACE TEMP TABLE stage_places AS
SELECT
    row_number() OVER (
        ORDER BY time NULLS LAST, run_id NULLS LAST, step NULLS LAST, file, position, challenge_id
    ) - 1 AS place,
    dense_rank() OVER (ORDER BY coalesce(parquet || ':' || row, challenge_id)) - 1 AS image,
    challenge_id,
    label,
    time,
    coalesce(parquet || ':' || row, challenge_id) AS source_image,
    parquet IS NOT NULL AND row IS NOT NULL AS names_row
FROM media;

CREATE OR REPLACE TEMP TABLE stage_miners AS
SELECT row_number() OVER (ORDER BY uid, hotkey) - 1 AS miner, uid, hotkey
FROM (SELECT DISTINCT uid, hotkey FROM responses);
