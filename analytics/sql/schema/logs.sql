-- Every log that was ingested, and its name in `media.file`. A path holds another log once its file
-- was rotated: what it held before is then `<name>#1`, `<name>#2`, ..., in the order of replacement.
CREATE TABLE IF NOT EXISTS logs (
    file VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,  -- of the content that was read last
    bytes BIGINT,             -- the size of that content
    records BIGINT,           -- in it, by position; NULL where reading cannot go on behind them
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,   -- digest of its files' names, sizes and times; '' if still written
    reader VARCHAR NOT NULL,  -- digest of the code that read it
    replaced INTEGER          -- the number behind `#`; NULL: what the path held when last read
);
