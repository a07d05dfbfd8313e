-- What the signatures in all files of a run show together, an aggregate: the one rule for it. A run
-- that is still being written may hold the signature of the one before; once a file of it has its own,
-- that counts.
CREATE OR REPLACE MACRO run_signature(signature) AS
CASE
    WHEN bool_or(signature = 'proved') THEN 'proved'
    WHEN bool_or(signature = 'false') THEN 'false'
    WHEN bool_or(signature = 'unchecked') THEN 'unchecked'
    ELSE 'absent'
END;

-- True where a run's id is W&B's own, eight letters and digits or what a transaction log says, and not
-- perhaps the name that a person gave to a folder.
CREATE OR REPLACE MACRO is_own_id(run_id, file) AS
ends_with(file, '.wandb') OR regexp_full_match(run_id, '[a-z0-9]{8}');

CREATE OR REPLACE MACRO run_signatures() AS TABLE
SELECT
    run_id,
    run_signature(signature) AS signature,
    list(DISTINCT hotkey) FILTER (signature = 'proved') AS proved_hotkeys
FROM runs
GROUP BY run_id;

-- Each file of a run, and whether its config is believed: no file of a run whose signature is false,
-- and of one that is proved those that name the hotkey which signed it.
CREATE OR REPLACE MACRO believed_runs() AS TABLE
SELECT
    runs.*,
    CASE of_run.signature
        WHEN 'false' THEN false
        WHEN 'proved' THEN coalesce(list_contains(of_run.proved_hotkeys, runs.hotkey), false)
            AND runs.signature <> 'false'
        ELSE true
    END AS is_believed
FROM runs
INNER JOIN run_signatures() AS of_run USING (run_id);
