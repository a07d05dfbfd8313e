-- How much the store holds, one row. A miner is a (uid, hotkey) pair.
SELECT
    (SELECT count(*) FROM media) AS challenges,
    (SELECT count(DISTINCT file) FROM media) AS files,
    (SELECT count(*) FROM media WHERE time IS NULL) AS without_time,
    (SELECT min(time) FROM media) AS first_time,
    (SELECT max(time) FROM media) AS last_time,
    (SELECT count(*) FROM responses) AS responses,
    (SELECT count(*) FROM responses WHERE prediction = -1) AS unanswered,
    (SELECT count(*) FROM responses WHERE prediction IS NULL) AS not_finite,
    (SELECT count(*) FROM (SELECT DISTINCT uid, hotkey FROM responses)) AS miners,
    (SELECT count(DISTINCT uid) FROM responses) AS uids,
    (SELECT count(*) FROM rejects WHERE field IS NULL) AS records_rejected,
    (SELECT count(*) FROM rejects WHERE field IS NOT NULL) AS values_rejected,
    (
        SELECT count(*) FROM run_signatures() WHERE signature = 'false'
    ) AS false_signatures;
