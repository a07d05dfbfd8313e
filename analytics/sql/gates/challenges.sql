-- The challenges of a replay with the gates and shares of their views, in the views' order, or why
-- they are left out. Repeats of one source image share a name; a challenge that names none is its
-- own.
WITH gates AS (
    SELECT
        challenge_id,
        list(gate ORDER BY view) AS gates,
        list(share ORDER BY view) AS shares
    FROM replay_gates
    WHERE run_id = $run_id
    GROUP BY challenge_id
)

SELECT
    coalesce(media.parquet || ':' || media.row, replayed.challenge_id) AS image,
    media.label,
    replayed.probability,
    replayed.fidelity = 'distribution' AS several,
    gates.gates,
    gates.shares,
    CASE
        WHEN media.challenge_id IS NULL THEN 'not in this store'
        WHEN replayed.probability IS NULL THEN coalesce(replayed.reason, 'no answer')
        WHEN gates.gates IS NULL THEN 'no gates'
    END AS left_out
FROM replay_predictions AS replayed
LEFT JOIN media USING (challenge_id)
LEFT JOIN gates USING (challenge_id)
WHERE replayed.run_id = $run_id
ORDER BY replayed.challenge_id;
