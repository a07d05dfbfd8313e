-- The chosen challenges of a kept order, in place of order.sql; ordinals are those of all challenges.
CREATE OR REPLACE TEMP TABLE life_order AS
SELECT kept.ordinal, kept.life, kept.media_row
FROM kept_order_rows AS kept
WHERE ($lives IS NULL OR kept.life IN (SELECT unnest($lives)))
    AND ($run IS NULL OR kept.media_row IN (SELECT rowid FROM media WHERE run_id = $run));
