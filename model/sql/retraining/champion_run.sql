-- The image-only replay of a checkpoint that was asked for most challenges, of these the last, and
-- how many challenges it was not asked for.
SELECT
    run_id,
    finished,
    (SELECT count(*) FROM media) AS challenges,
    (
        SELECT count(*)
        FROM media
        WHERE challenge_id NOT IN (
            SELECT challenge_id FROM replay_predictions AS answered
            WHERE answered.run_id = run.run_id
        )
    ) AS unanswered
FROM replay_runs AS run
WHERE
    NOT uses_metadata
    AND CASE WHEN json_valid(settings) THEN settings ->> '$.checkpoint_sha256' END = $sha256
ORDER BY selected DESC, finished DESC, run_id
LIMIT 1;
