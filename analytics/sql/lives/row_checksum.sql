-- How many challenges there are, and a checksum of which row holds which.
SELECT count(*) AS challenges, bit_xor(hash(rowid, challenge_id)) AS checksum FROM media;
