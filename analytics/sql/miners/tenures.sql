-- Periods in which one hotkey held one uid without a break, in each validator's life; a hotkey that
-- comes back has two. Only the answers where a period starts are kept: the next start is its end.
WITH starts AS (
    SELECT
        staged.life,
        numbered.uid,
        numbered.hotkey,
        staged.time AS first_time,
        row_number() OVER in_order AS answer_number,
        lag(staged.time) OVER in_order AS time_before
    FROM responses AS answer
    INNER JOIN stage_challenges AS staged USING (challenge_id)
    INNER JOIN stage_miners AS numbered USING (uid, hotkey)
    WINDOW in_order AS (PARTITION BY staged.life, numbered.uid ORDER BY staged.ordinal, answer.slot)
    QUALIFY numbered.miner IS DISTINCT FROM lag(numbered.miner) OVER in_order
),

ends AS (
    SELECT
        staged.life,
        answer.uid,
        count(*) AS asked,
        arg_max(staged.time, staged.ordinal) AS last_time
    FROM responses AS answer
    INNER JOIN stage_challenges AS staged USING (challenge_id)
    GROUP BY staged.life, answer.uid
)

SELECT
    starts.life,
    starts.uid,
    starts.hotkey,
    lead(starts.answer_number, 1, ends.asked + 1) OVER in_order - starts.answer_number AS asked,
    starts.first_time,
    lead(starts.time_before, 1, ends.last_time) OVER in_order AS last_time
FROM starts
INNER JOIN ends USING (life, uid)
WINDOW in_order AS (PARTITION BY starts.life, starts.uid ORDER BY starts.answer_number)
ORDER BY starts.uid, starts.life, starts.answer_number;
