-- Unbroken spells of one hotkey on one uid, in order of time; a hotkey that comes back has two.
-- Only the answers where a spell starts are kept: the next start says where it ended.
WITH starts AS (
    SELECT
        numbered.uid,
        numbered.hotkey,
        places.time AS first_time,
        row_number() OVER in_time AS place,
        lag(places.time) OVER in_time AS time_before
    FROM responses AS answer
    INNER JOIN stage_places AS places USING (challenge_id)
    INNER JOIN stage_miners AS numbered USING (uid, hotkey)
    WINDOW in_time AS (PARTITION BY numbered.uid ORDER BY places.place, answer.slot)
    QUALIFY numbered.miner IS DISTINCT FROM lag(numbered.miner) OVER in_time
),

ends AS (
    SELECT answer.uid, count(*) AS asked, arg_max(places.time, places.place) AS last_time
    FROM responses AS answer
    INNER JOIN stage_places AS places USING (challenge_id)
    GROUP BY answer.uid
)

SELECT
    starts.uid,
    starts.hotkey,
    lead(starts.place, 1, ends.asked + 1) OVER in_time - starts.place AS asked,
    starts.first_time,
    lead(starts.time_before, 1, ends.last_time) OVER in_time AS last_time
FROM starts
INNER JOIN ends USING (uid)
WINDOW in_time AS (PARTITION BY starts.uid ORDER BY starts.place)
ORDER BY starts.uid, starts.place;
