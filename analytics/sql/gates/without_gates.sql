-- Take challenges without gates out of gate_challenges.
DELETE FROM gate_challenges
WHERE NOT EXISTS (
    FROM replay_gates
    WHERE
        replay_gates.run_id = gate_challenges.run_id
        AND replay_gates.challenge_id = gate_challenges.challenge_id
        AND replay_gates.view = 1
);
