-- One row a challenge. A `<field>_null` says why a metadata field holds no value:
-- absent, null, empty, word ("Unknown": the value is kept), unreadable (see rejects); NULL where it
-- holds one. Values are open: one that was never seen before is kept as it is.
CREATE TABLE IF NOT EXISTS media (
    challenge_id VARCHAR PRIMARY KEY,   -- hash of the content, equal for every form of a log
    run_id VARCHAR,                     -- W&B run, where one is known
    segment BIGINT,                     -- 0-based: what the run logged without its step beginning
                                        -- again; NULL where no run is known
    step BIGINT,                        -- W&B step, where one is known
    file VARCHAR NOT NULL,              -- name of the log file that it came from first
    position BIGINT NOT NULL,           -- 0-based record in that file; the step for a W&B run
    time TIMESTAMP,                     -- UTC, when it was logged, where that is known
    era VARCHAR NOT NULL,               -- earliest version of the validator that fits the evidence
    era_candidates VARCHAR[] NOT NULL,  -- all that fit
    era_evidence VARCHAR[],             -- what left no others: keys, time, exponent (of the reward);
                                        -- `not time`: contradicts stronger evidence, ignored
    label TINYINT NOT NULL,             -- the scored label: 1 = roadwork
    modality VARCHAR,
    source VARCHAR,                     -- real, synthetic, api; NULL before E6 (all real)
    source_model_task VARCHAR,
    task_id VARCHAR,
    path VARCHAR,                       -- base name of the cached image
    parquet VARCHAR,                    -- base name of the source shard
    row BIGINT,                         -- 0-based row of the shard
    image_format VARCHAR,
    image_width INTEGER,                -- of the cached image, pixels
    image_height INTEGER,
    image_mode VARCHAR,
    metadata_label BIGINT,              -- the data set's own label; may differ until 2025-07-03
    source_id BIGINT,                   -- the data set's id of the image
    width INTEGER,
    height INTEGER,
    license BIGINT,
    flickr_url VARCHAR,
    coco_url VARCHAR,
    date_captured VARCHAR,
    gps_lat DOUBLE,                     -- degrees
    gps_lon DOUBLE,
    city VARCHAR,
    scene_description VARCHAR,
    frame_id VARCHAR,
    seq_id BIGINT,
    vid_id VARCHAR,
    daytime VARCHAR,
    environment VARCHAR,
    travel_alteration VARCHAR[],
    weather VARCHAR[],
    prompt VARCHAR,                     -- synthetic images only
    model_name VARCHAR,
    source_id_null VARCHAR,
    gps_null VARCHAR,
    city_null VARCHAR,
    scene_description_null VARCHAR,
    frame_id_null VARCHAR,
    seq_id_null VARCHAR,
    vid_id_null VARCHAR,
    daytime_null VARCHAR,
    environment_null VARCHAR,
    travel_alteration_null VARCHAR,
    weather_null VARCHAR,
    prompt_null VARCHAR,
    model_name_null VARCHAR,
    parquet_null VARCHAR,
    row_null VARCHAR,
    image_format_null VARCHAR,
    image_size_null VARCHAR,
    image_mode_null VARCHAR,
    metadata_label_null VARCHAR,
    width_null VARCHAR,
    height_null VARCHAR,
    license_null VARCHAR,
    flickr_url_null VARCHAR,
    coco_url_null VARCHAR,
    date_captured_null VARCHAR,
    geometry VARCHAR,                   -- crop, letterbox, none; NULL where parameters are unreadable
    aug_level TINYINT,                  -- 0..3; -1 = augmentation failed; NULL = none logged
    angle DOUBLE,                       -- degrees, counter-clockwise
    crop_top INTEGER,                   -- pixels of the rotated source
    crop_left INTEGER,
    crop_height INTEGER,
    crop_width INTEGER,
    flip_horizontal BOOLEAN NOT NULL,
    flip_vertical BOOLEAN NOT NULL,
    letterbox_scale DOUBLE,
    letterbox_height INTEGER,
    letterbox_width INTEGER,
    letterbox_padding INTEGER[],        -- left, top, right, bottom
    scores FLOAT[],                     -- EMA of every uid after this challenge; index = uid + 1
    other VARCHAR                       -- JSON of what no column holds
);
