-- What a replay did; see ReplayReport.
SELECT
    count(*) AS selected,
    count(probability) AS predicted,
    count(*) FILTER (WHERE fidelity = 'exact') AS exact,
    count(*) FILTER (WHERE fidelity = 'distribution') AS distributions,
    coalesce(sum(images), 0)::BIGINT AS images,
    coalesce(sum(noisy), 0)::BIGINT AS noisy,
    avg(spread / sqrt(images)) FILTER (WHERE fidelity = 'distribution') AS standard_error,
    coalesce(list(reason) FILTER (WHERE probability IS NULL), []) AS reasons
FROM replay_predictions
WHERE run_id = $run_id;
