-- In one part of all steps: how many numbers both sources of a run hold, and agree in; how many finite ones only one holds.
-- $runs: of these runs; NULL: of all.
SELECT
    count(*) FILTER (of_media IS NOT NULL AND of_history IS NOT NULL) AS compared,
    count(*) FILTER (same_number(series, of_media, of_history)) AS equal,
    count(*) FILTER (NOT same_number(series, of_media, of_history)) AS differing,
    count(*) FILTER (of_history IS NULL AND NOT isnan(of_media)) AS only_in_media,
    count(*) FILTER (of_media IS NULL AND NOT isnan(of_history)) AS only_in_history
FROM source_numbers($part, $parts)
WHERE $runs IS NULL OR list_contains($runs, run_id);
