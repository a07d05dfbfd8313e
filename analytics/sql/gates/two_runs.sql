-- Sums of views' shares or gates of two replays over the challenges that both answered, by block of
-- source images; of $label, NULL for both.
WITH shared AS (
    SELECT challenge_id, image, block
    FROM gate_challenges
    WHERE run_id = $run AND label = coalesce($label, label)
        AND challenge_id IN (SELECT challenge_id FROM gate_challenges WHERE run_id = $other)
)

SELECT
    block,
    view,
    count(*) FILTER (WHERE run_id = $run) AS challenges,
    count(*) FILTER (WHERE run_id = $other) AS of_other,
    count(DISTINCT image) FILTER (WHERE view = 1) AS images,
    coalesce(sum(CASE $measure WHEN 'share' THEN share ELSE gate END) FILTER (WHERE run_id = $run), 0)
        AS total,
    coalesce(sum(CASE $measure WHEN 'share' THEN share ELSE gate END) FILTER (WHERE run_id = $other), 0)
        AS other
FROM replay_gates
INNER JOIN shared USING (challenge_id)
WHERE run_id IN ($run, $other)
GROUP BY block, view
ORDER BY block, view;
