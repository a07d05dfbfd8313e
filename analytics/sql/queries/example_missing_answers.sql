-- Share of challenges that each miner left without an answer
SELECT uid, count(*) AS asked, avg((prediction = -1)::INTEGER) AS without_answer
FROM responses
GROUP BY uid
ORDER BY without_answer DESC
