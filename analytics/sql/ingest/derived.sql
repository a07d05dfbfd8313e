-- What commands have derived from all challenges no longer holds once there are others.
DELETE FROM gps_clusters WHERE EXISTS (FROM stage_new) OR EXISTS (FROM stage_renamed);
DELETE FROM null_rates WHERE EXISTS (FROM stage_new) OR EXISTS (FROM stage_renamed);
