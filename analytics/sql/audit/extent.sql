-- How large the chosen log is, one row. All uids of scores and answers are below `uids`; a subnet has
-- fewer than $most uids, so that larger ones are counted as beyond it.
WITH records AS (
    SELECT media.challenge_id, len(media.scores) AS scores
    FROM media
    INNER JOIN life_order AS ordered ON media.rowid = ordered.media_row
),

answers AS (
    SELECT uid FROM responses SEMI JOIN records USING (challenge_id)
)

SELECT
    (SELECT count(*) FROM records) AS challenges,
    (SELECT count(*) FROM answers) AS answers,
    (SELECT count(*) FROM records WHERE scores > 0) AS with_scores,
    (SELECT count(*) FROM answers WHERE uid >= $most) AS beyond,
    greatest(
        (SELECT coalesce(max(scores), 0) FROM records WHERE scores <= $most),
        (SELECT coalesce(max(uid) + 1, 0) FROM answers WHERE uid < $most)
    ) AS uids;
