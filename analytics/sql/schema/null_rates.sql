-- One row a metadata field of the source images that one era sent, or of the source rows, as
-- `streetreplay null-rates` last counted them; an ingest that adds challenges empties it. An image
-- counts once an era, however often it was sent. Rates are 0 to 1.
CREATE TABLE IF NOT EXISTS null_rates (
    field VARCHAR NOT NULL,        -- the description's NULL is the label itself (DOMAIN.md, 7)
    rows_of VARCHAR NOT NULL,      -- challenges, sources
    era VARCHAR,                   -- NULL for source rows
    source VARCHAR,                -- real, synthetic, api, not logged; NULL: all
    challenges BIGINT NOT NULL,    -- 0 for source rows
    n BIGINT NOT NULL,             -- source images, or source rows, whose value can be read
    unreadable BIGINT NOT NULL,    -- left out of n
    nulls BIGINT NOT NULL,         -- of the n: the sum of the four kinds
    absent BIGINT NOT NULL,        -- the record lacks the key
    json_null BIGINT NOT NULL,
    empty BIGINT NOT NULL,         -- '' or []
    word BIGINT NOT NULL,          -- such as "Unknown"
    rate DOUBLE,                   -- nulls / n
    low DOUBLE,                    -- Wilson's 95% interval
    high DOUBLE,
    against VARCHAR,               -- what drift is from: the era before, or the newest era's real
                                   -- images for source rows; NULL: nothing to hold it against
    difference DOUBLE,             -- rate - rate of that
    difference_low DOUBLE,         -- Newcombe's 95% interval
    difference_high DOUBLE,
    p DOUBLE,                      -- Fisher's exact test
    p_adjusted DOUBLE              -- by Holm over all tests of the relation
);
