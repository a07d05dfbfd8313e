-- Miners by the mean of their logged MCC
SELECT uid, left(hotkey, 8) AS hotkey, count(*) AS n, avg(value) AS mean_mcc
FROM miner_mcc
WHERE isfinite(value)
GROUP BY ALL
ORDER BY mean_mcc DESC
