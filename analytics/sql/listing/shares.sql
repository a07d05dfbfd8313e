-- How many answers of a candidate and of miners to the matching challenges are right, one row, with
-- squared residuals summed by source image for intervals. With a candidate ($paired) only challenges
-- that it answered count.
WITH used AS (
    SELECT
        listed.image,
        (listed.candidate IN ('right', 'wrong'))::INTEGER AS candidate_answered,
        (listed.candidate = 'right')::INTEGER AS candidate_right,
        matching.asked,
        matching.answered,
        matching.correct
    FROM matching
    INNER JOIN memory.main.listed_challenges AS listed USING (ordinal)
    WHERE NOT $paired OR listed.candidate IN ('right', 'wrong')
),

images AS (
    SELECT
        sum(candidate_answered) AS candidate_answered,
        sum(candidate_right) AS candidate_right,
        sum(asked) AS asked,
        sum(answered) AS answered,
        sum(correct) AS correct
    FROM used
    GROUP BY image
),

totals AS (
    SELECT
        sum(candidate_answered) AS candidate_answered,
        sum(candidate_right) AS candidate_right,
        sum(asked) AS asked,
        sum(answered) AS answered,
        sum(correct) AS correct
    FROM images
),

residuals AS (
    SELECT
        (images.candidate_right * totals.candidate_answered
            - totals.candidate_right * images.candidate_answered)
        / nullif(totals.candidate_answered, 0) ** 2 AS candidate,
        (images.correct * totals.answered - totals.correct * images.answered)
        / nullif(totals.answered, 0) ** 2 AS miners,
        images.candidate_answered > 0 AS of_candidate,
        images.answered > 0 AS of_miners
    FROM images, totals
)

SELECT
    coalesce(totals.candidate_answered, 0)::BIGINT AS candidate_answered,
    coalesce(totals.candidate_right, 0)::BIGINT AS candidate_right,
    coalesce(totals.asked, 0)::BIGINT AS asked,
    coalesce(totals.answered, 0)::BIGINT AS answered,
    coalesce(totals.correct, 0)::BIGINT AS correct,
    summed.*
FROM totals, (
    SELECT
        count(*) FILTER (WHERE of_candidate) AS candidate_images,
        count(*) FILTER (WHERE of_miners) AS images,
        count(*) FILTER (WHERE of_candidate OR of_miners) AS either_images,
        sum(candidate ** 2) AS candidate_squares,
        sum(miners ** 2) AS squares,
        sum((candidate - miners) ** 2) AS difference_squares
    FROM residuals
) AS summed;
