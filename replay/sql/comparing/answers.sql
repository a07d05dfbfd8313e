-- What every miner was asked among the challenges that the candidate predicted: -1 = no answer, NaN
-- = not finite. A hotkey that comes back to its uid has a second spell, and a history of its own;
-- only uids of several hotkeys are looked at for that, as it needs all of their answers in order.
WITH asked AS (
    SELECT
        answer.uid,
        answer.slot,
        staged.life,
        staged.ordinal,
        answer.hotkey IS DISTINCT FROM lag(answer.hotkey) OVER in_order AS changed
    FROM responses AS answer
    INNER JOIN stage_challenges AS staged USING (challenge_id)
    WHERE answer.uid IN (SELECT uid FROM stage_miners GROUP BY uid HAVING count(*) > 1)
    WINDOW in_order AS (PARTITION BY staged.life, answer.uid ORDER BY staged.ordinal, answer.slot)
),

spells AS (
    SELECT ordinal, slot, count(*) FILTER (WHERE changed) OVER in_order AS spell
    FROM asked
    WINDOW in_order AS (PARTITION BY life, uid ORDER BY ordinal, slot)
),

predicted AS (
    SELECT staged.challenge_id, staged.ordinal
    FROM stage_challenges AS staged
    INNER JOIN replay_predictions AS replayed USING (challenge_id)
    WHERE replayed.run_id = $run_id AND replayed.probability IS NOT NULL
)

SELECT
    numbered.miner::INTEGER AS miner,
    predicted.ordinal::INTEGER AS ordinal,
    coalesce(spells.spell, 0)::INTEGER AS spell,
    coalesce(answer.prediction, 'NaN'::DOUBLE) AS prediction
FROM responses AS answer
INNER JOIN predicted USING (challenge_id)
INNER JOIN stage_miners AS numbered USING (uid, hotkey)
LEFT JOIN spells ON predicted.ordinal = spells.ordinal AND answer.slot = spells.slot
ORDER BY numbered.miner, predicted.ordinal, answer.slot;
