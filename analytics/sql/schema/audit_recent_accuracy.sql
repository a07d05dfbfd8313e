-- The accuracy over a miner's last ten answers, which no log holds, from reward and MCC alone:
-- a fraction in lowest terms. A paid answer without one (correct IS NULL) contradicts itself.
-- The same as data/records/accuracy_of_ten.py; a test holds the two together.
CREATE OR REPLACE VIEW audit_recent_accuracy AS
WITH recovered AS (
    SELECT
        answer.challenge_id,
        answer.slot,
        answer.uid,
        answer.hotkey,
        2 * answer.reward ** (CASE WHEN media.era IN ('E4', 'E5', 'E6') THEN 1.0 ELSE 1 / 3.0 END)
        - answer.mcc AS accuracy
    FROM responses AS answer
    INNER JOIN media USING (challenge_id)
    WHERE answer.reward > 0 AND answer.mcc IS NOT NULL
),

fitted AS (
    SELECT
        *,
        list_filter(
            range(1, 11),
            lambda n: accuracy BETWEEN -1e-9 AND 1 + 1e-9
                AND abs(accuracy * n - round(accuracy * n)) < 1e-9 * n
        )[1] AS answered
    FROM recovered
)

SELECT
    challenge_id,
    slot,
    uid,
    hotkey,
    round(accuracy * answered)::INTEGER AS correct,
    answered::INTEGER AS answered
FROM fitted;
