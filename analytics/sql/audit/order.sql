-- Every challenge in the order of lives (see analytics/lives/order.py), and where its answers lie in
-- `responses`.
CREATE OR REPLACE TEMP TABLE audit_order AS
SELECT
    ordered.ordinal,
    ordered.media_row,
    media.challenge_id,
    answers.first_answer,
    answers.last_answer
FROM life_order AS ordered
INNER JOIN media ON media.rowid = ordered.media_row
LEFT JOIN (
    SELECT challenge_id, min(rowid) AS first_answer, max(rowid) AS last_answer
    FROM responses
    GROUP BY challenge_id
) AS answers ON answers.challenge_id = media.challenge_id
ORDER BY ordered.ordinal;
