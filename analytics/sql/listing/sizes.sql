-- How many challenges match, of how many.
SELECT
    (SELECT count(*) FROM matching) AS matching,
    (SELECT count(*) FROM memory.main.listed_challenges) AS total;
