-- Share of NULL in each logged field, by era and source
SELECT field, era, source, n, rate, low, high
FROM null_rates
ORDER BY rate DESC
