-- Texts of a list as numbers: a byte a row in place of sixteen. Outcomes are named as in
-- analytics/queries/challenge_answers.py.
CREATE TYPE memory.main.outcome AS ENUM (
    'right', 'wrong', 'no answer', 'not finite', 'not asked'
);
CREATE TYPE memory.main.era AS ENUM (SELECT DISTINCT era FROM media);
CREATE TYPE memory.main.source AS ENUM (
    SELECT DISTINCT source FROM media WHERE source IS NOT NULL
);
CREATE TYPE memory.main.city AS ENUM (SELECT DISTINCT city FROM media WHERE city IS NOT NULL);
CREATE TYPE memory.main.fidelity AS ENUM (SELECT DISTINCT fidelity FROM replay_predictions);
CREATE TYPE memory.main.reason AS ENUM (
    SELECT DISTINCT reason FROM replay_predictions WHERE reason IS NOT NULL
);
