-- How much of each era the store holds of each validator: the hotkey that its runs name, unless
-- another signed them (run_signatures.sql); else the run; NULL for logs of no run. A hole is a stretch of
-- steps that a segment of a run lacks, counted for the challenge after it; a run's first step is 0.
-- Every other segment of a validator after its first is a restart. Without a run neither is known:
-- `audit` finds holes from scores.
-- `evidence` is every way in which evidence decided the era of a challenge, see `media.era_evidence`.
WITH named AS (
    SELECT run_id, CASE WHEN count(DISTINCT hotkey) = 1 THEN min(hotkey) END AS hotkey
    FROM believed_runs()
    WHERE is_believed
    GROUP BY run_id
),

stepped AS (
    SELECT
        era,
        run_id,
        segment,
        step,
        time,
        step - lag(step, 1, -1) OVER (PARTITION BY run_id, segment ORDER BY step) - 1 AS missing
    FROM media
    WHERE run_id IS NOT NULL
),

of_runs AS (
    SELECT
        era,
        run_id,
        min(time) AS first_time,
        max(time) AS last_time,
        count(*) AS challenges,
        count(*) FILTER (WHERE missing > 0) AS holes,
        coalesce(sum(missing) FILTER (WHERE missing > 0), 0) AS missing
    FROM stepped
    GROUP BY era, run_id
),

decided AS (
    SELECT era, run_id, list(array_to_string(era_evidence, ', ')) AS evidence
    FROM (SELECT DISTINCT era, run_id, era_evidence FROM media)
    GROUP BY era, run_id
),

segments AS (
    SELECT run_id, segment, arg_min(era, step) AS era, min(time) AS time
    FROM media
    WHERE run_id IS NOT NULL
    GROUP BY run_id, segment
),

begun AS (
    SELECT
        segments.era,
        segments.run_id,
        row_number() OVER (
            PARTITION BY coalesce(named.hotkey, segments.run_id)
            ORDER BY segments.time NULLS LAST, segments.run_id, segments.segment
        ) > 1 AS again
    FROM segments
    LEFT JOIN named USING (run_id)
),

restarted AS (
    SELECT era, run_id, count(*) FILTER (WHERE again) AS restarts
    FROM begun
    GROUP BY era, run_id
)

SELECT
    of_runs.era,
    named.hotkey,
    CASE WHEN named.hotkey IS NULL THEN of_runs.run_id END AS run_id,
    min(of_runs.first_time) AS first_time,
    max(of_runs.last_time) AS last_time,
    sum(of_runs.challenges)::BIGINT AS challenges,
    sum(of_runs.holes)::BIGINT AS holes,
    sum(of_runs.missing)::BIGINT AS missing,
    coalesce(sum(restarted.restarts), 0)::BIGINT AS restarts,
    list_sort(list_distinct(flatten(list(decided.evidence)))) AS evidence
FROM of_runs
LEFT JOIN named USING (run_id)
LEFT JOIN restarted USING (era, run_id)
LEFT JOIN decided USING (era, run_id)
GROUP BY ALL
UNION ALL
SELECT
    era,
    NULL AS hotkey,
    NULL AS run_id,
    min(time) AS first_time,
    max(time) AS last_time,
    count(*) AS challenges,
    NULL AS holes,
    NULL AS missing,
    NULL AS restarts,
    list_sort(any_value(decided.evidence)) AS evidence
FROM media
INNER JOIN decided USING (era)
WHERE media.run_id IS NULL AND decided.run_id IS NULL
GROUP BY era
ORDER BY try_cast(era[2:] AS INTEGER), hotkey NULLS LAST, run_id NULLS LAST;
