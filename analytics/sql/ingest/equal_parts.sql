-- Pairs of parts of one run that hold the same challenge at the same step: copies of one another.
-- Where a known one holds no challenge (of series alone, or of challenges that another run names),
-- the same log, read again, is the copy.
WITH held AS (
    SELECT part.part, staged.run_id, staged.step, staged.challenge_id
    FROM stage_media AS staged
    INNER JOIN stage_parts AS part
        ON staged.run_id = part.run_id
        AND staged.file = part.file
        AND staged.segment = part.part_of_log
    UNION ALL
    SELECT part.part, media.run_id, media.step, media.challenge_id
    FROM media
    INNER JOIN stage_parts AS part
        ON media.run_id = part.run_id
        AND media.segment = part.segment
        AND media.step BETWEEN part.first_step AND part.last_step
),

logs_of_one_part AS (
    SELECT run_id, file
    FROM stage_parts
    GROUP BY run_id, file
    HAVING count(segment) = 1 AND count(part_of_log) = 1
)

-- all that hold a challenge are one group: it is enough to tie each to the first of them
SELECT DISTINCT min(part) OVER (PARTITION BY run_id, step, challenge_id) AS first, part
FROM held
UNION
SELECT known.part AS first, staged.part
FROM stage_parts AS known
INNER JOIN stage_parts AS staged USING (run_id, file)
SEMI JOIN logs_of_one_part USING (run_id, file)
WHERE known.part_of_log IS NULL
    AND staged.segment IS NULL
    AND known.first_challenge IS NULL
    AND (known.started = staged.started OR known.started IS NULL OR staged.started IS NULL);
