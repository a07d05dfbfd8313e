-- Every challenge by its number: the order of time.
SELECT challenge_id, label, image, source_image, names_row FROM stage_places ORDER BY place;
