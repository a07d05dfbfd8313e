-- The row of one challenge without the scores of all uids.
SELECT * EXCLUDE (scores)
FROM media
WHERE challenge_id = $challenge_id;
