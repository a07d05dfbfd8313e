-- The first and the last record of each stream: does one go on where another one ends?
SELECT
    streams.stream,
    streams.place = 0 AS first,
    streams.records,
    streams.time,
    streams.file,
    media.era,
    media.scores,
    coalesce(asked.uids, []) AS uids,
    coalesce(asked.rewards, []) AS rewards
FROM audit_streams AS streams
INNER JOIN media ON media.rowid = streams.media_row
LEFT JOIN (
    SELECT
        challenge_id,
        list(uid ORDER BY slot) AS uids,
        list(reward ORDER BY slot) AS rewards
    FROM responses
    WHERE challenge_id IN (SELECT challenge_id FROM audit_streams WHERE place = 0)
    GROUP BY challenge_id
) AS asked ON asked.challenge_id = streams.challenge_id
WHERE streams.place = 0 OR streams.place = streams.records - 1
ORDER BY streams.stream, streams.place;
