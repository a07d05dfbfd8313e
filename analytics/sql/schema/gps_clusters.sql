-- One row a GPS cluster of challenges and source rows, as `streetreplay gps-clusters` last found
-- them; an ingest that adds challenges empties it. What is in no cluster has a row of its own,
-- without a centre: 'elsewhere' and 'no position'. Shares are 0 to 1.
CREATE TABLE IF NOT EXISTS gps_clusters (
    name VARCHAR PRIMARY KEY,       -- the nearest city of the data set, else the place
    latitude DOUBLE,                -- of the centre, degrees
    longitude DOUBLE,
    radius_km DOUBLE,               -- holds 95% of the different positions
    positions BIGINT,               -- different ones
    n BIGINT NOT NULL,              -- challenges
    share DOUBLE,                   -- of the challenges with a position
    roadwork_share DOUBLE,          -- of its challenges
    source_rows BIGINT NOT NULL,
    source_share DOUBLE,            -- of the source rows with a position
    source_roadwork_share DOUBLE,
    run_id VARCHAR,                 -- the replay that the following is of; NULL: none
    predicted BIGINT,               -- challenges that it predicted and miners answered
    answers BIGINT,                 -- of miners to these
    accuracy DOUBLE,                -- the candidate's, 0 to 1
    accuracy_low DOUBLE,
    accuracy_high DOUBLE,
    mcc DOUBLE,                     -- the candidate's, -1 to 1; NULL where labels are all one
    own_mcc_low DOUBLE,             -- its interval
    own_mcc_high DOUBLE,
    miners_mcc DOUBLE,              -- the pooled miners' on the same challenges
    mcc_low DOUBLE,                 -- interval of the difference mcc - miners_mcc
    mcc_high DOUBLE,
    reward_lost DOUBLE,             -- mean reward over the whole log, 0 to 1, above 0 where it loses
    reward_lost_low DOUBLE,
    reward_lost_high DOUBLE
);
