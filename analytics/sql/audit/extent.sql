-- How large a log is, one row. `uids` is how many scores and uids need a place; a subnet has fewer
-- than $most, so that a uid past it is none.
SELECT
    (SELECT count(*) FROM media) AS challenges,
    (SELECT count(*) FROM responses) AS answers,
    (SELECT count(*) FROM media WHERE len(scores) > 0) AS with_scores,
    (SELECT count(*) FROM responses WHERE uid >= $most) AS beyond,
    greatest(
        (SELECT coalesce(max(len(scores)), 0) FROM media WHERE len(scores) <= $most),
        (SELECT coalesce(max(uid) + 1, 0) FROM responses WHERE uid < $most)
    ) AS uids;
