-- Every log file that was ingested, and its name in `media.file`.
CREATE TABLE IF NOT EXISTS logs (
    file VARCHAR NOT NULL,
    path VARCHAR PRIMARY KEY,
    sha256 VARCHAR NOT NULL,
    kind VARCHAR NOT NULL
);
