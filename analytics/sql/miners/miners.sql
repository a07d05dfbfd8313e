-- Every (uid, hotkey) pair that was asked, by its number.
SELECT uid, hotkey FROM stage_miners ORDER BY miner;
