-- Series of runs' histories. A step's history may come in several logs (a transaction log, tables of
-- some series): they are put together by uid and series, the first that was read first.
CREATE OR REPLACE TEMP TABLE stage_steps AS
SELECT DISTINCT run_id, segment, step FROM stage_series WHERE logged;

CREATE OR REPLACE TEMP TABLE stage_histories AS
WITH held AS (
    SELECT -1 AS seq, '' AS file, * EXCLUDE (challenge_id, hotkey)
    FROM history_series
    SEMI JOIN stage_steps USING (run_id, segment, step)
    UNION ALL BY NAME
    SELECT * EXCLUDE (challenge_id, hotkey, logged) FROM stage_series WHERE logged
)

SELECT
    run_id,
    segment,
    step,
    uid,
    file,
    min(seq) AS first_seq,
    arg_min(COLUMNS(* EXCLUDE (run_id, segment, step, uid, file, seq)), seq)
FROM held
GROUP BY run_id, segment, step, uid, file;

-- Histories that contradict the first one of a step are not mixed with it.
CREATE OR REPLACE TEMP TABLE stage_contradictions AS
WITH firsts AS (
    SELECT run_id, segment, step, arg_min(file, first_seq) AS file
    FROM stage_histories
    GROUP BY run_id, segment, step
    HAVING count(DISTINCT file) > 1
)

SELECT DISTINCT other.run_id, other.segment, other.step, other.file
FROM firsts
INNER JOIN stage_histories AS first USING (run_id, segment, step, file)
INNER JOIN stage_histories AS other
    ON first.run_id = other.run_id
    AND first.segment = other.segment
    AND first.step = other.step
    AND first.uid = other.uid
    AND first.file <> other.file
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

INSERT INTO stage_rejects
SELECT
    file,
    min(step) AS position,
    NULL AS field,
    'history: found ' || count(*) || ' steps of run ' || run_id || ', from step ' || min(step)
    || ', with other values than were read first; expected one history a run; the first is kept'
        AS reason,
    '' AS excerpt
FROM stage_contradictions
GROUP BY run_id, file;

CREATE OR REPLACE TEMP TABLE stage_logged AS
SELECT
    run_id,
    segment,
    step,
    uid,
    arg_min(COLUMNS(* EXCLUDE (run_id, segment, step, uid, file, first_seq)), first_seq)
FROM stage_histories
ANTI JOIN stage_contradictions USING (run_id, segment, step, file)
GROUP BY run_id, segment, step, uid
EXCEPT
SELECT * EXCLUDE (file, first_seq) FROM stage_histories WHERE first_seq = -1;

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
