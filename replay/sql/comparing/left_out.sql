-- Every miner's answers that its MCC leaves out, counted by reason. Those of the candidate's are
-- left out of rewards too; the miner's own are not.
WITH reasons AS (
    SELECT
        answer.uid,
        answer.hotkey,
        CASE
            WHEN replayed.challenge_id IS NULL THEN 'not in this replay'
            WHEN replayed.probability IS NULL
                THEN 'candidate: ' || coalesce(replayed.reason, 'no answer')
            WHEN answer.prediction = -1 THEN 'miner: no answer'
            WHEN answer.prediction IS NULL THEN 'miner: answer not finite'
        END AS reason
    FROM responses AS answer
    SEMI JOIN stage_challenges USING (challenge_id)
    LEFT JOIN (SELECT * FROM replay_predictions WHERE run_id = $run_id) AS replayed
        USING (challenge_id)
)

SELECT numbered.miner, reasons.reason, count(*) AS answers
FROM reasons
INNER JOIN stage_miners AS numbered USING (uid, hotkey)
WHERE reasons.reason IS NOT NULL
GROUP BY ALL
ORDER BY numbered.miner, answers DESC, reasons.reason;
