-- The slices by their number.
SELECT field, "value" FROM stage_slices WHERE number IS NOT NULL ORDER BY number;
