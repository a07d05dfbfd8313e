-- Pairs of parts of one run that hold the same numbers of the same steps, where one of them holds no
-- challenge to know it by: a table of series, and the run's media or transaction log. Of their numbers
-- nine in ten must be equal, and of the miners that it names nine in ten asked there; a table of other
-- miners does not speak against it. Of several such parts the one that agrees in most is it.
WITH unknown AS (
    SELECT * FROM stage_parts
    WHERE first_challenge IS NULL
        AND run_id IN (SELECT run_id FROM stage_parts GROUP BY run_id HAVING count(*) > 1)
),

wanted AS (SELECT * FROM stage_parts SEMI JOIN unknown USING (run_id)),

cells AS (
    SELECT part.part, series.* EXCLUDE (seq, file, segment, challenge_id, hotkey, logged)
    FROM stage_series AS series
    INNER JOIN wanted AS part
        ON series.run_id = part.run_id AND series.file = part.file AND part.part_of_log = 0
    WHERE series.logged
    UNION ALL BY NAME
    SELECT part.part, record.run_id, record.step,
        series.* EXCLUDE (seq, file, run_id, segment, step, challenge_id, hotkey, logged)
    FROM stage_series AS series
    INNER JOIN stage_media AS record USING (seq)
    INNER JOIN wanted AS part
        ON record.run_id = part.run_id
        AND record.file = part.file
        AND record.segment = part.part_of_log
    WHERE NOT series.logged
    UNION ALL BY NAME
    SELECT part.part, series.* EXCLUDE (segment, challenge_id, hotkey, logged)
    FROM miner_series AS series
    INNER JOIN wanted AS part
        ON series.run_id = part.run_id
        AND series.segment = part.segment
        AND series.step BETWEEN part.first_step AND part.last_step
),

values_of AS (UNPIVOT cells ON COLUMNS(* EXCLUDE (part, run_id, step, uid)) INTO NAME series VALUE value),

compared AS (
    SELECT
        mine.part,
        other.part AS other,
        count(*) AS compared,
        count(*) FILTER (same_number(series, mine.value, other.value)) AS equal
    FROM values_of AS mine
    INNER JOIN values_of AS other USING (run_id, step, uid, series)
    WHERE mine.part IN (SELECT part FROM unknown) AND mine.part <> other.part
    GROUP BY mine.part, other.part
),

asked AS (SELECT DISTINCT part, run_id, step, uid FROM cells),

steps AS (SELECT DISTINCT part, run_id, step FROM cells),

asked_alike AS (
    SELECT mine.part, other.part AS other, count(*) AS compared, count(same.uid) AS equal
    FROM asked AS mine
    INNER JOIN steps AS other USING (run_id, step)
    LEFT JOIN asked AS same
        ON other.part = same.part AND mine.step = same.step AND mine.uid = same.uid
    WHERE mine.part IN (SELECT part FROM unknown) AND mine.part <> other.part
    GROUP BY mine.part, other.part
)

SELECT asked_alike.part, asked_alike.other
FROM asked_alike
LEFT JOIN compared USING (part, other)
WHERE coalesce(10 * compared.equal >= 9 * compared.compared, true)
    AND (
        10 * asked_alike.equal >= 9 * asked_alike.compared
        OR asked_alike.other IN (SELECT part FROM unknown)
    )
QUALIFY row_number() OVER (
    PARTITION BY asked_alike.part
    ORDER BY asked_alike.equal + coalesce(compared.equal, 0) DESC, asked_alike.other
) = 1;
