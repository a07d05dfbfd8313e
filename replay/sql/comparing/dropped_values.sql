-- By field, how many of its values are no slice.
SELECT field, count(*) AS dropped FROM stage_slices WHERE number IS NULL GROUP BY field ORDER BY field;
