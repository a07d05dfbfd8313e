-- The log's own series, wide: one row a challenge x uid. A uid asked twice has its last answer here.
-- NULL = the log has no such key; NaN = logged as not finite. The nine views miner_<series> read it.
-- `logged` is true for what a run's history holds. What it lacks, a challenge, a miner or some of a
-- miner's series, is taken from the Media record: a row that is not `logged`, beside the other.
CREATE OR REPLACE VIEW miner_series AS
WITH with_gaps AS (
    -- records in whose lists some numbers, but perhaps not all, were not finite
    SELECT
        challenge_id,
        count(accuracy) > 0 AS accuracy,
        count(auc) > 0 AS auc,
        count(f1_score) > 0 AS f1_score,
        count(mcc) > 0 AS mcc,
        count(precision) > 0 AS precision,
        count(recall) > 0 AS recall
    FROM responses
    WHERE challenge_id IN (
        SELECT challenge_id FROM responses
        WHERE accuracy IS NULL OR auc IS NULL OR f1_score IS NULL
            OR mcc IS NULL OR precision IS NULL OR recall IS NULL
    )
    GROUP BY challenge_id
),

of_records AS (
    SELECT
        answer.challenge_id,
        media.run_id,
        media.segment,
        media.step,
        answer.uid,
        answer.hotkey,
        coalesce(answer.prediction, 'nan') AS predictions,
        coalesce(answer.reward, 'nan') AS rewards,
        answer.score::DOUBLE AS scores,
        coalesce(answer.accuracy, CASE WHEN with_gaps.accuracy THEN 'nan'::DOUBLE END) AS accuracy,
        coalesce(answer.auc, CASE WHEN with_gaps.auc THEN 'nan'::DOUBLE END) AS auc,
        coalesce(answer.f1_score, CASE WHEN with_gaps.f1_score THEN 'nan'::DOUBLE END) AS f1_score,
        coalesce(answer.mcc, CASE WHEN with_gaps.mcc THEN 'nan'::DOUBLE END) AS mcc,
        coalesce(answer.precision, CASE WHEN with_gaps.precision THEN 'nan'::DOUBLE END) AS precision,
        coalesce(answer.recall, CASE WHEN with_gaps.recall THEN 'nan'::DOUBLE END) AS recall
    FROM responses AS answer
    INNER JOIN media USING (challenge_id)
    LEFT JOIN with_gaps USING (challenge_id)
    WHERE NOT answer.asked_again
),

lost AS (
    SELECT record.* REPLACE (
        CASE WHEN history.uid IS NULL OR (history.predictions IS NULL AND NOT isnan(record.predictions))
            THEN record.predictions END AS predictions,
        CASE WHEN history.uid IS NULL OR (history.rewards IS NULL AND NOT isnan(record.rewards))
            THEN record.rewards END AS rewards,
        CASE WHEN history.uid IS NULL OR (history.scores IS NULL AND NOT isnan(record.scores))
            THEN record.scores END AS scores,
        CASE WHEN history.uid IS NULL OR (history.accuracy IS NULL AND NOT isnan(record.accuracy))
            THEN record.accuracy END AS accuracy,
        CASE WHEN history.uid IS NULL OR (history.auc IS NULL AND NOT isnan(record.auc))
            THEN record.auc END AS auc,
        CASE WHEN history.uid IS NULL OR (history.f1_score IS NULL AND NOT isnan(record.f1_score))
            THEN record.f1_score END AS f1_score,
        CASE WHEN history.uid IS NULL OR (history.mcc IS NULL AND NOT isnan(record.mcc))
            THEN record.mcc END AS mcc,
        CASE WHEN history.uid IS NULL OR (history.precision IS NULL AND NOT isnan(record.precision))
            THEN record.precision END AS precision,
        CASE WHEN history.uid IS NULL OR (history.recall IS NULL AND NOT isnan(record.recall))
            THEN record.recall END AS recall
    )
    FROM of_records AS record
    LEFT JOIN history_series AS history USING (challenge_id, uid)
)

SELECT
    challenge_id, run_id, segment, step, uid, hotkey, true AS logged,
    predictions, rewards, scores, accuracy, auc, f1_score, mcc, precision, recall
FROM history_series
UNION ALL
SELECT
    challenge_id, run_id, segment, step, uid, hotkey, false AS logged,
    predictions, rewards, scores, accuracy, auc, f1_score, mcc, precision, recall
FROM lost
WHERE coalesce(predictions, rewards, scores, accuracy, auc, f1_score, mcc, precision, recall)
    IS NOT NULL;
