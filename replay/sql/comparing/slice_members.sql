-- Which compared challenge, by its place among them, is in which slice; in no order.
SELECT compared.place, sliced.number::INTEGER AS number
FROM slice_rows($run_id) AS valued
INNER JOIN stage_compared AS compared USING (ordinal)
INNER JOIN stage_slices AS sliced USING (field, "value")
WHERE sliced.number IS NOT NULL;
