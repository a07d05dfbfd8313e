-- Sums of views' shares or gates over the right and the wrong answers of a replay, by value of
-- gate_values and block of source images; of the values $kept, '' for none of them, or NULL for all.
SELECT
    "value",
    is_right,
    block,
    view,
    count(*) AS challenges,
    count(*) FILTER (WHERE gate = 0) AS zeros,
    sum(CASE $measure WHEN 'share' THEN share ELSE gate END) AS total
FROM replay_gates
INNER JOIN (
    SELECT * FROM gate_values WHERE $kept IS NULL OR list_contains($kept, coalesce("value", ''))
) AS valued USING (challenge_id)
WHERE run_id = $run
GROUP BY "value", is_right, block, view
ORDER BY "value", is_right, block, view;
