-- Whether fewer challenges have gates than were answered by these replays.
SELECT
    (SELECT count(*) FROM replay_gates WHERE run_id IN ($run, $other) AND view = 1)
    <> (
        SELECT count(*) FROM replay_predictions
        WHERE run_id IN ($run, $other) AND probability IS NOT NULL
    );
