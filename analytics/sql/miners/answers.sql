-- Every finite answer, in order of validators' lives. A miner asked twice in one challenge saw one
-- image: the first answer counts, as two would not be independent.
SELECT
    numbered.miner::INTEGER AS miner,
    staged.ordinal::INTEGER AS challenge,
    answer.prediction
FROM responses AS answer
INNER JOIN stage_challenges AS staged USING (challenge_id)
INNER JOIN stage_miners AS numbered USING (uid, hotkey)
WHERE answer.prediction <> -1
QUALIFY row_number() OVER (PARTITION BY staged.ordinal, numbered.miner ORDER BY answer.slot) = 1
ORDER BY staged.ordinal, numbered.miner;
