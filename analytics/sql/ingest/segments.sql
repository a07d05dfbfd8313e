-- The segment of each staged row of a run: 0, until a run is found to begin again.
UPDATE stage_media SET segment = 0 WHERE run_id IS NOT NULL;
UPDATE stage_series SET segment = 0 WHERE run_id IS NOT NULL;
