-- A replay's answer to one challenge, with the scored label.
SELECT
    replayed.probability,
    replayed.spread,
    replayed.positive_share,
    replayed.fidelity,
    replayed.reason,
    media.label
FROM replay_predictions AS replayed
INNER JOIN media USING (challenge_id)
WHERE replayed.run_id = $run_id AND replayed.challenge_id = $challenge_id;
