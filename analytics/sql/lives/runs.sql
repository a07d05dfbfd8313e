-- Who a run's config says that its validator is: a row a run, and nothing where it does not say.
SELECT run_id, NULL::VARCHAR AS hotkey, NULL::INTEGER AS validator_uid FROM runs LIMIT 0;
