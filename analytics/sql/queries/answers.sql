-- The answers to one challenge in order of slot, with the scored label.
SELECT
    answer.slot,
    answer.uid,
    answer.hotkey,
    answer.prediction,
    answer.reward,
    answer.mcc,
    media.label
FROM responses AS answer
INNER JOIN media USING (challenge_id)
WHERE answer.challenge_id = $challenge_id
ORDER BY answer.slot;
