-- What the log says of one challenge, but for the scores of all uids.
SELECT * EXCLUDE (scores)
FROM media
WHERE challenge_id = $challenge_id;
