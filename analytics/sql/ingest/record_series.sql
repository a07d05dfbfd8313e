-- The series of staged records of runs: of a uid asked twice the last.
INSERT INTO stage_series BY NAME
SELECT
    answer.seq,
    '' AS file,
    false AS logged,
    answer.challenge_id,
    answer.uid,
    answer.hotkey,
    answer.prediction AS predictions,
    answer.reward AS rewards,
    record.scores[answer.uid + 1] AS scores,
    answer.accuracy,
    answer.auc,
    answer.f1_score,
    answer.mcc,
    answer.precision,
    answer.recall
FROM batch_responses AS answer
INNER JOIN batch_media AS record USING (seq)
WHERE record.run_id IS NOT NULL AND NOT answer.asked_again;
