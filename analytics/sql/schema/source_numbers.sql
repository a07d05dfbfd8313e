-- Every number that a run with a history holds: once in a challenge's Media record, once in a series.
-- NULL: this source lost it, or never logged it; NaN: it was logged as not finite. Series hold the
-- last answer of a uid that was asked twice, so that of the record is it too. Records and histories
-- meet by run, segment and step, and so never across lives. Of `parts` parts of all steps this is
-- one, from 0 on: the memory that it takes is a part's.
CREATE OR REPLACE MACRO source_numbers(part, parts) AS TABLE
WITH histories AS (SELECT * FROM history_series WHERE step % parts = part),

challenges AS (
    SELECT run_id, segment, step, challenge_id, scores
    FROM media
    SEMI JOIN history_series USING (run_id, segment)
    WHERE step % parts = part
),

-- a list of which one entry holds a number was logged: its other entries are not finite
lists AS (
    SELECT
        challenge_id,
        count(accuracy) > 0 AS accuracy,
        count(auc) > 0 AS auc,
        count(f1_score) > 0 AS f1_score,
        count(mcc) > 0 AS mcc,
        count(precision) > 0 AS precision,
        count(recall) > 0 AS recall
    FROM responses
    SEMI JOIN challenges USING (challenge_id)
    GROUP BY challenge_id
),

records AS (
    SELECT
        run_id,
        segment,
        step,
        challenge_id,
        answer.uid,
        coalesce(answer.prediction, 'NaN'::DOUBLE) AS predictions,
        coalesce(answer.reward, 'NaN'::DOUBLE) AS rewards,
        CASE
            WHEN answer.uid < len(challenges.scores)
                THEN coalesce(challenges.scores[answer.uid + 1]::DOUBLE, 'NaN'::DOUBLE)
        END AS scores,
        CASE WHEN lists.accuracy THEN coalesce(answer.accuracy, 'NaN'::DOUBLE) END AS accuracy,
        CASE WHEN lists.auc THEN coalesce(answer.auc, 'NaN'::DOUBLE) END AS auc,
        CASE WHEN lists.f1_score THEN coalesce(answer.f1_score, 'NaN'::DOUBLE) END AS f1_score,
        CASE WHEN lists.mcc THEN coalesce(answer.mcc, 'NaN'::DOUBLE) END AS mcc,
        CASE WHEN lists.precision THEN coalesce(answer.precision, 'NaN'::DOUBLE) END AS precision,
        CASE WHEN lists.recall THEN coalesce(answer.recall, 'NaN'::DOUBLE) END AS recall
    FROM challenges
    INNER JOIN responses AS answer USING (challenge_id)
    INNER JOIN lists USING (challenge_id)
    WHERE NOT answer.asked_again
)

SELECT
    run_id,
    segment,
    step,
    coalesce(records.challenge_id, histories.challenge_id) AS challenge_id,
    uid,
    unnest(
        [
            {'series': 'predictions', 'of_media': records.predictions, 'of_history': histories.predictions},
            {'series': 'rewards', 'of_media': records.rewards, 'of_history': histories.rewards},
            {'series': 'scores', 'of_media': records.scores, 'of_history': histories.scores},
            {'series': 'accuracy', 'of_media': records.accuracy, 'of_history': histories.accuracy},
            {'series': 'auc', 'of_media': records.auc, 'of_history': histories.auc},
            {'series': 'f1_score', 'of_media': records.f1_score, 'of_history': histories.f1_score},
            {'series': 'mcc', 'of_media': records.mcc, 'of_history': histories.mcc},
            {'series': 'precision', 'of_media': records.precision, 'of_history': histories.precision},
            {'series': 'recall', 'of_media': records.recall, 'of_history': histories.recall}
        ],
        recursive := true
    )
FROM records
FULL JOIN histories USING (run_id, segment, step, uid);
