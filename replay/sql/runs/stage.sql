CREATE OR REPLACE TEMP TABLE stage_replay (
    run_id VARCHAR,
    challenge_id VARCHAR,
    fidelity VARCHAR,
    reason VARCHAR,
    variant SMALLINT,
    weight DOUBLE,
    noisy BOOLEAN,
    probability DOUBLE,
    gates FLOAT[]
);
