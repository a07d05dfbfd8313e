-- Every challenge by its number: the order of validators' lives.
SELECT challenge_id, label, life::INTEGER AS life, image, source_image, names_row
FROM stage_challenges
ORDER BY ordinal;
