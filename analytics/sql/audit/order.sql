-- Every challenge at its place in a validator's life, and where its answers lie in `responses`.
CREATE OR REPLACE TEMP TABLE audit_order AS
SELECT
    (
        row_number() OVER (ORDER BY lives.life, lives.place, streams.place) - 1
    )::BIGINT AS ordinal,
    lives.life,
    streams.media_row,
    streams.challenge_id,
    answers.first_answer,
    answers.last_answer
FROM audit_streams AS streams
INNER JOIN audit_lives AS lives USING (stream)
LEFT JOIN (
    SELECT challenge_id, min(rowid) AS first_answer, max(rowid) AS last_answer
    FROM responses
    GROUP BY challenge_id
) AS answers USING (challenge_id)
ORDER BY ordinal;
