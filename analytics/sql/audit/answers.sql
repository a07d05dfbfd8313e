-- Answers of a chunk, in order of life and slot; a hotkey is a number here. See span.sql.
SELECT
    ordered.ordinal - $first AS record,
    answer.slot::BIGINT AS slot,
    answer.uid::BIGINT AS uid,
    (hash(answer.hotkey) >> 1)::BIGINT AS hotkey,
    answer.prediction,
    answer.accuracy,
    answer.precision,
    answer.recall,
    answer.f1_score,
    answer.mcc,
    answer.auc,
    answer.reward
FROM responses AS answer
INNER JOIN audit_order AS ordered USING (challenge_id)
WHERE ordered.ordinal BETWEEN $first AND $last
    AND answer.rowid BETWEEN $first_answer AND $last_answer
    AND answer.uid < $uids
ORDER BY record, slot;
