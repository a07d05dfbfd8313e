-- Pairs of parts of one run that hold the same challenge at the same step: copies of one another.
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
)

-- all that hold a challenge are one group: it is enough to tie each to the first of them
SELECT DISTINCT min(part) OVER (PARTITION BY run_id, step, challenge_id) AS first, part
FROM held;
