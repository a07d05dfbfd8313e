-- How open the gates of a replay's model were for the views of one challenge.
SELECT
    view,
    gate,
    share
FROM replay_gates
WHERE run_id = $run_id AND challenge_id = $challenge_id
ORDER BY view;
