-- Where each challenge of a replay was taken, degrees; without those that hold no position.
SELECT staged.ordinal::INTEGER AS ordinal, media.gps_lat AS latitude, media.gps_lon AS longitude
FROM media
INNER JOIN stage_challenges AS staged USING (challenge_id)
SEMI JOIN (
    SELECT challenge_id FROM replay_predictions
    WHERE run_id = $run_id AND probability IS NOT NULL
) AS replayed USING (challenge_id)
WHERE media.gps_lat IS NOT NULL AND media.gps_lon IS NOT NULL;
