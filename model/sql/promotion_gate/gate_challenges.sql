-- The challenges by their ordinal, and the source image that each shows; comes after
-- analytics/miners/stage.
SELECT ordinal::INTEGER AS ordinal, challenge_id, source_image
FROM stage_challenges
ORDER BY ordinal;
