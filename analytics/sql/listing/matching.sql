-- The challenges that meet all conditions, with the key that they are sorted by (missing ones last,
-- equal ones by ordinal) and the answers that are counted: those of a named miner, else of all.
CREATE OR REPLACE TEMP TABLE matching AS
WITH of_miner AS (
    SELECT
        challenge_id,
        count(*) AS asked,
        count(*) FILTER (WHERE outcome IN ('right', 'wrong')) AS answered,
        count(*) FILTER (WHERE outcome = 'right') AS correct,
        $miner_outcome IS NULL OR bool_or(outcome = $miner_outcome) AS wanted
    FROM (
        SELECT
            answer.challenge_id,
            CASE
                WHEN answer.prediction = -1 THEN 'no answer'
                WHEN answer.prediction IS NULL THEN 'not finite'
                WHEN round_even(answer.prediction, 0) = media.label THEN 'right'
                ELSE 'wrong'
            END AS outcome
        FROM responses AS answer
        INNER JOIN media USING (challenge_id)
        WHERE answer.uid = $uid AND ($hotkey IS NULL OR answer.hotkey = $hotkey)
    )
    GROUP BY challenge_id
)

SELECT
    listed.ordinal,
    CASE $sorting
        WHEN 'newest' THEN CASE WHEN listed.time IS NOT NULL THEN -listed.ordinal END
        WHEN 'most wrong' THEN -listed.wrong_share
        WHEN 'least wrong' THEN listed.wrong_share
        WHEN 'hardest' THEN -listed.difficulty
        WHEN 'easiest' THEN listed.difficulty
        ELSE listed.ordinal
    END::DOUBLE AS sort_key,
    CASE WHEN $uid IS NULL THEN listed.asked ELSE of_miner.asked END::INTEGER AS asked,
    CASE WHEN $uid IS NULL THEN listed.answered ELSE of_miner.answered END::INTEGER AS answered,
    CASE WHEN $uid IS NULL THEN listed.correct ELSE of_miner.correct END::INTEGER AS correct
FROM memory.main.listed_challenges AS listed
LEFT JOIN of_miner USING (challenge_id)
WHERE ($uid IS NULL OR of_miner.wanted)
    AND ($candidate IS NULL OR listed.candidate = $candidate)
    AND (
        $cities IS NULL
        OR EXISTS (FROM unnest($cities::VARCHAR[]) AS one (value) WHERE value IS NOT DISTINCT FROM city)
    )
    AND (
        $sources IS NULL
        OR EXISTS (FROM unnest($sources::VARCHAR[]) AS one (value) WHERE value IS NOT DISTINCT FROM source)
    )
    AND (
        $levels IS NULL
        OR EXISTS (FROM unnest($levels::TINYINT[]) AS one (value) WHERE value IS NOT DISTINCT FROM level)
    )
    AND ($eras IS NULL OR listed.era IN (SELECT unnest($eras)))
    AND ($label IS NULL OR listed.label = $label)
    AND ($fidelities IS NULL OR listed.fidelity IN (SELECT unnest($fidelities)))
    AND ($least_wrong IS NULL OR listed.wrong_share BETWEEN $least_wrong AND $most_wrong)
    AND ($least_difficulty IS NULL OR listed.difficulty BETWEEN $least_difficulty AND $most_difficulty)
    AND starts_with(listed.challenge_id, $id_prefix);
