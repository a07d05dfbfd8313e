-- Every part of the runs that were read: what one log holds of a run, known before or staged now.
-- A staged one has no segment yet; until then `stage_media.segment` is its number in its log.
CREATE OR REPLACE TEMP TABLE stage_parts AS
WITH staged AS (
    SELECT run_id, file, segment AS part_of_log, step, time, challenge_id
    FROM stage_media
    WHERE run_id IS NOT NULL
    UNION ALL
    SELECT DISTINCT run_id, file, 0, step, NULL, NULL FROM stage_series WHERE run_id IS NOT NULL
),

described AS (
    SELECT run_id, file, min(started) AS started FROM stage_runs GROUP BY run_id, file
),

parts AS (
    SELECT
        run_id,
        file,
        part_of_log,
        NULL AS segment,
        CASE WHEN part_of_log = 0 THEN coalesce(any_value(described.started), min(time)) END
            AS started,
        min(step) AS first_step,
        max(step) AS last_step,
        arg_min(challenge_id, step) FILTER (WHERE challenge_id IS NOT NULL) AS first_challenge
    FROM staged
    LEFT JOIN described USING (run_id, file)
    GROUP BY run_id, file, part_of_log
    UNION ALL
    SELECT
        known.run_id,
        known.file,
        NULL AS part_of_log,
        known.segment,
        coalesce(known.started, min(media.time)) AS started,
        known.first_step,
        known.last_step,
        arg_min(media.challenge_id, media.step) AS first_challenge
    FROM runs AS known
    LEFT JOIN media
        ON known.run_id = media.run_id
        AND known.segment = media.segment
        AND media.step BETWEEN known.first_step AND known.last_step
    WHERE known.run_id IN (SELECT run_id FROM described) AND known.first_step IS NOT NULL
    GROUP BY
        known.run_id, known.file, known.segment, known.started, known.first_step, known.last_step
)

SELECT row_number() OVER (ORDER BY run_id, started, first_step, file, part_of_log, segment) - 1 AS part, *
FROM parts;
