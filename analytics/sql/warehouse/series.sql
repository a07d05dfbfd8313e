-- Series of a run's history win over those taken from its Media records; each step is kept once.
CREATE OR REPLACE TEMP TABLE stage_logged AS
SELECT staged.* EXCLUDE (seq, file) FROM stage_series AS staged
WHERE staged.logged AND NOT EXISTS (
    SELECT 1 FROM miner_series AS old
    WHERE old.logged
        AND old.run_id = staged.run_id
        AND old.segment = staged.segment
        AND old.step = staged.step
)
-- two histories of one step are not mixed: the one that was read first is kept
QUALIFY staged.seq = min(staged.seq) OVER (
    PARTITION BY staged.run_id, staged.segment, staged.step
);

-- A challenge whose media came before or after its series: name it and its miners now.
CREATE OR REPLACE TEMP TABLE stage_names AS
SELECT media.run_id, media.segment, media.step, media.challenge_id, answer.uid,
    arg_max(answer.hotkey, answer.slot) AS hotkey
FROM media
INNER JOIN responses AS answer USING (challenge_id)
WHERE media.run_id IS NOT NULL
    AND (
        EXISTS (
            FROM stage_logged
            WHERE stage_logged.run_id = media.run_id
                AND stage_logged.segment = media.segment
                AND stage_logged.step = media.step
        )
        OR media.challenge_id IN (SELECT challenge_id FROM stage_new)
    )
GROUP BY ALL;

INSERT INTO miner_series
SELECT logged.* REPLACE (names.challenge_id AS challenge_id, names.hotkey AS hotkey)
FROM stage_logged AS logged
LEFT JOIN stage_names AS names
    ON logged.run_id = names.run_id
    AND logged.segment = names.segment
    AND logged.step = names.step
    AND logged.uid = names.uid
ORDER BY logged.run_id, logged.segment, logged.step, logged.uid;

UPDATE miner_series SET challenge_id = names.challenge_id, hotkey = names.hotkey
FROM stage_names AS names
WHERE miner_series.challenge_id IS NULL
    AND miner_series.run_id = names.run_id
    AND miner_series.segment = names.segment
    AND miner_series.step = names.step
    AND miner_series.uid = names.uid;

DELETE FROM miner_series
WHERE NOT logged AND challenge_id IN (
    SELECT challenge_id FROM miner_series WHERE logged AND challenge_id IS NOT NULL
);

INSERT INTO miner_series
SELECT staged.* EXCLUDE (seq, file) REPLACE (
    media.run_id AS run_id, media.segment AS segment, media.step AS step
)
FROM stage_series AS staged
INNER JOIN media USING (challenge_id)
WHERE NOT staged.logged
    AND staged.seq IN (SELECT seq FROM stage_new)
    AND staged.challenge_id NOT IN (
        SELECT challenge_id FROM miner_series WHERE logged AND challenge_id IS NOT NULL
    )
ORDER BY staged.seq, staged.uid;

UPDATE miner_series SET run_id = named.run_id, segment = named.segment, step = named.step
FROM stage_renamed AS named
WHERE NOT miner_series.logged AND miner_series.challenge_id = named.challenge_id;
