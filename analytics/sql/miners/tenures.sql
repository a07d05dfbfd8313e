-- Periods in which one hotkey held one uid without a break, in each validator's life; a hotkey that
-- comes back has two. Only the answers where a period starts are kept: the next start is its end.
WITH starts AS (
    SELECT
        places.life,
        numbered.uid,
        numbered.hotkey,
        places.time AS first_time,
        row_number() OVER in_order AS place,
        lag(places.time) OVER in_order AS time_before
    FROM responses AS answer
    INNER JOIN stage_places AS places USING (challenge_id)
    INNER JOIN stage_miners AS numbered USING (uid, hotkey)
    WINDOW in_order AS (PARTITION BY places.life, numbered.uid ORDER BY places.place, answer.slot)
    QUALIFY numbered.miner IS DISTINCT FROM lag(numbered.miner) OVER in_order
),

ends AS (
    SELECT
        places.life,
        answer.uid,
        count(*) AS asked,
        arg_max(places.time, places.place) AS last_time
    FROM responses AS answer
    INNER JOIN stage_places AS places USING (challenge_id)
    GROUP BY places.life, answer.uid
)

SELECT
    starts.life,
    starts.uid,
    starts.hotkey,
    lead(starts.place, 1, ends.asked + 1) OVER in_order - starts.place AS asked,
    starts.first_time,
    lead(starts.time_before, 1, ends.last_time) OVER in_order AS last_time
FROM starts
INNER JOIN ends USING (life, uid)
WINDOW in_order AS (PARTITION BY starts.life, starts.uid ORDER BY starts.place)
ORDER BY starts.uid, starts.life, starts.place;
