-- Series of runs' histories. A step's history may come in several logs (a transaction log, tables of
-- some series): they are put together by uid and series, in one order whatever was read first: what
-- the store holds, then by name of file and place in it.
CREATE OR REPLACE TEMP TABLE stage_steps AS
SELECT DISTINCT run_id, segment, step FROM stage_series WHERE logged;

CREATE OR REPLACE TEMP TABLE stage_several AS
SELECT run_id, segment, step
FROM (
    SELECT DISTINCT run_id, segment, step, seq FROM stage_series WHERE logged
    UNION ALL
    SELECT DISTINCT run_id, segment, step, -1 AS seq
    FROM history_series
    SEMI JOIN stage_steps USING (run_id, segment, step)
)
GROUP BY run_id, segment, step
HAVING count(*) > 1;

-- Many rows are joined with few below: the right side is the one that is held in memory.
SET disabled_optimizers = 'join_order,build_side_probe_side';

-- Only of such steps; `place` is the order above.
CREATE OR REPLACE TEMP TABLE stage_histories AS
WITH files AS (
    SELECT file, row_number() OVER (ORDER BY file) AS number
    FROM (SELECT DISTINCT file FROM stage_series WHERE logged)
)

SELECT 0 AS place, -1 AS seq, '' AS file, * EXCLUDE (challenge_id, hotkey)
FROM history_series
SEMI JOIN stage_several USING (run_id, segment, step)
UNION ALL BY NAME
SELECT (files.number << 40) + seq AS place, * EXCLUDE (challenge_id, hotkey, logged, number)
FROM stage_series
INNER JOIN files USING (file)
SEMI JOIN stage_several USING (run_id, segment, step)
WHERE logged;

-- A row (`seq`) and an earlier one of its step that hold other values of one miner.
CREATE OR REPLACE TEMP TABLE stage_disagreements AS
SELECT DISTINCT other.run_id, other.segment, other.step, other.file, other.seq,
    first.file AS first_file, first.seq AS first_seq
FROM stage_histories AS first
INNER JOIN stage_histories AS other
    ON first.run_id = other.run_id
    AND first.segment = other.segment
    AND first.step = other.step
    AND first.uid = other.uid
    AND first.place < other.place
WHERE NOT (
    coalesce(same_number('predictions', first.predictions, other.predictions), true)
    AND coalesce(same_number('rewards', first.rewards, other.rewards), true)
    AND coalesce(same_number('scores', first.scores, other.scores), true)
    AND coalesce(same_number('accuracy', first.accuracy, other.accuracy), true)
    AND coalesce(same_number('auc', first.auc, other.auc), true)
    AND coalesce(same_number('f1_score', first.f1_score, other.f1_score), true)
    AND coalesce(same_number('mcc', first.mcc, other.mcc), true)
    AND coalesce(same_number('precision', first.precision, other.precision), true)
    AND coalesce(same_number('recall', first.recall, other.recall), true)
);

-- A history that contradicts one which is kept of its step is not mixed with it. What contradicts
-- only a history that is itself left out stays, so each is judged after those before it.
CREATE OR REPLACE TEMP TABLE stage_contradictions AS
WITH RECURSIVE places AS (
    SELECT
        run_id, segment, step, file, seq,
        row_number() OVER (PARTITION BY run_id, segment, step ORDER BY file, seq) AS place
    FROM (
        SELECT run_id, segment, step, file, seq FROM stage_disagreements
        UNION
        SELECT run_id, segment, step, first_file AS file, first_seq AS seq FROM stage_disagreements
    )
),

earlier AS (
    SELECT run_id, segment, step, file, seq, list(first_seq) AS contradicted
    FROM stage_disagreements
    GROUP BY run_id, segment, step, file, seq
),

judged AS (
    SELECT run_id, segment, step, place, seq, true AS is_kept, [seq] AS kept
    FROM places
    WHERE place = 1
    UNION ALL
    SELECT
        next.run_id, next.segment, next.step, next.place, next.seq,
        NOT list_has_any(judged.kept, coalesce(earlier.contradicted, [])),
        CASE
            WHEN list_has_any(judged.kept, coalesce(earlier.contradicted, [])) THEN judged.kept
            ELSE list_append(judged.kept, next.seq)
        END
    FROM judged
    INNER JOIN places AS next
        ON judged.run_id = next.run_id
        AND judged.segment = next.segment
        AND judged.step = next.step
        AND judged.place + 1 = next.place
    LEFT JOIN earlier
        ON next.run_id = earlier.run_id
        AND next.segment = earlier.segment
        AND next.step = earlier.step
        AND next.seq = earlier.seq
)

SELECT places.run_id, places.segment, places.step, places.file, places.seq
FROM judged
INNER JOIN places USING (run_id, segment, step, seq)
WHERE NOT judged.is_kept;

INSERT INTO stage_rejects
SELECT
    file,
    min(step) AS position,
    NULL AS field,
    'history: found ' || count(DISTINCT (segment, step)) || ' steps of run ' || run_id
    || ', from step ' || min(step) || ', with other values than the store holds, or a file before it'
    || ' by name, or a row before them; expected one history a run; that one is kept; put steps that'
    || ' begin again into a table of their own'
        AS reason,
    '' AS excerpt
FROM stage_contradictions
GROUP BY run_id, file;

CREATE OR REPLACE TEMP TABLE stage_logged AS
SELECT * EXCLUDE (seq, file, challenge_id, hotkey, logged)
FROM stage_series
ANTI JOIN stage_several USING (run_id, segment, step)
WHERE logged
UNION ALL BY NAME
(
    SELECT
        run_id,
        segment,
        step,
        uid,
        arg_min(COLUMNS(* EXCLUDE (run_id, segment, step, uid, file, seq, place)), place)
    FROM stage_histories
    ANTI JOIN stage_contradictions USING (run_id, segment, step, seq)
    GROUP BY run_id, segment, step, uid
    EXCEPT
    SELECT run_id, segment, step, uid, * EXCLUDE (run_id, segment, step, uid, file, seq, place)
    FROM stage_histories
    WHERE seq = -1
);

RESET disabled_optimizers;

-- A challenge whose media came before or after its series: name it and its miners now.
CREATE OR REPLACE TEMP TABLE stage_names AS
SELECT media.run_id, media.segment, media.step, media.challenge_id, answer.uid,
    arg_max(answer.hotkey, answer.slot) AS hotkey
FROM media
INNER JOIN responses AS answer USING (challenge_id)
WHERE media.run_id IS NOT NULL
    AND (
        EXISTS (
            FROM stage_logged
            WHERE stage_logged.run_id = media.run_id
                AND stage_logged.segment = media.segment
                AND stage_logged.step = media.step
        )
        OR media.challenge_id IN (SELECT challenge_id FROM stage_new)
    )
GROUP BY ALL;

DELETE FROM history_series
USING stage_logged AS now
WHERE history_series.run_id = now.run_id
    AND history_series.segment = now.segment
    AND history_series.step = now.step
    AND history_series.uid = now.uid;

INSERT INTO history_series BY NAME
SELECT logged.*, names.challenge_id, names.hotkey
FROM stage_logged AS logged
LEFT JOIN stage_names AS names USING (run_id, segment, step, uid)
ORDER BY logged.run_id, logged.segment, logged.step, logged.uid;

UPDATE history_series SET challenge_id = names.challenge_id, hotkey = names.hotkey
FROM stage_names AS names
WHERE history_series.challenge_id IS NULL
    AND history_series.run_id = names.run_id
    AND history_series.segment = names.segment
    AND history_series.step = names.step
    AND history_series.uid = names.uid;
