-- The selected challenges by row of `media`. A sample is drawn by a hash of id and seed: the same
-- again, and a larger one holds a smaller one.
CREATE OR REPLACE TEMP TABLE chosen_challenges AS
SELECT ordered.ordinal, ordered.media_row
FROM media
INNER JOIN life_order AS ordered ON media.rowid = ordered.media_row
WHERE ($ids IS NULL OR media.challenge_id IN (SELECT unnest($ids)))
    AND ($eras IS NULL OR era IN (SELECT unnest($eras)))
    AND ($levels IS NULL OR aug_level IN (SELECT unnest($levels)))
    AND ($since IS NULL OR time >= $since)
    AND ($until IS NULL OR time < $until)
    AND (
        $uid IS NULL
        OR media.challenge_id IN (
            SELECT challenge_id FROM responses
            WHERE uid = $uid AND ($hotkey IS NULL OR hotkey = $hotkey)
        )
    )
QUALIFY $sample IS NULL OR row_number() OVER (ORDER BY md5(media.challenge_id || $seed)) <= $sample
ORDER BY ordered.ordinal
LIMIT $most;
