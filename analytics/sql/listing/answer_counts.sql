-- Miners' answers to each challenge, counted by the class that the validator reads from them.
CREATE OR REPLACE TEMP TABLE answer_counts AS
SELECT
    challenge_id,
    count(*)::INTEGER AS asked,
    count(*) FILTER (WHERE prediction <> -1)::INTEGER AS answered,
    count(*) FILTER (WHERE prediction <> -1 AND round_even(prediction, 0) = 0)::INTEGER AS zeros,
    count(*) FILTER (WHERE round_even(prediction, 0) = 1)::INTEGER AS ones
FROM responses
GROUP BY challenge_id;
