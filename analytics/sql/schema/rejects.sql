-- What could not be read. `field` is NULL where a whole record was lost, else the column that stayed
-- NULL in a challenge that was kept.
CREATE TABLE IF NOT EXISTS rejects (
    file VARCHAR NOT NULL,
    position BIGINT,           -- 0-based record; the step for a W&B run
    field VARCHAR,
    reason VARCHAR NOT NULL,
    excerpt VARCHAR NOT NULL
);
