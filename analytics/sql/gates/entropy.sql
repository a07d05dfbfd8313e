-- The entropy of views' shares over the log, bits, in at most $bins bins of equal length: of time where
-- any challenge has one, those without left out; else of the log's order. Sums over source images, so
-- that an interval holds repeats of one together.
WITH opened AS (
    SELECT
        challenge_id,
        sum(CASE WHEN share > 0 THEN -share * log2(share) ELSE 0 END) AS entropy
    FROM replay_gates
    WHERE run_id = $run
    GROUP BY challenge_id
),

placed AS (
    SELECT
        image,
        entropy,
        time,
        CASE WHEN bool_or(time IS NOT NULL) OVER () THEN epoch(time)
            ELSE row_number() OVER (ORDER BY file, position) END AS place
    FROM gate_challenges
    INNER JOIN opened USING (challenge_id)
    WHERE run_id = $run AND label = coalesce($label, label)
),

ends AS (
    SELECT min(place) AS first_place, max(place) AS last_place FROM placed
),

of_images AS (
    SELECT
        CASE WHEN last_place > first_place
            THEN least(floor((place - first_place) / (last_place - first_place) * $bins), $bins - 1)
            ELSE 0 END AS bin,
        image,
        sum(entropy) AS entropy,
        count(*) AS challenges,
        min(time) AS first_time,
        max(time) AS last_time
    FROM placed, ends
    WHERE place IS NOT NULL
    GROUP BY bin, image
)

SELECT
    bin::INTEGER AS bin,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    sum(challenges)::BIGINT AS challenges,
    count(*) AS images,
    sum(entropy) AS total,
    sum(entropy * entropy) AS squares,
    sum(entropy * challenges) AS products,
    sum(challenges * challenges)::BIGINT AS count_squares
FROM of_images
GROUP BY bin
ORDER BY bin;
