"""A small store with every kind of value that a list of challenges is filtered by."""

from analytics.warehouse.connection import writing
from data.store import Store

RUN = "replay-a"

# values of 0.5, 1.5 and 1.7, answers of -1 and NULL, uids asked twice, challenges that nobody
# answered, equal times and none, and NULLs of each column
_FILL = """
CREATE TEMP MACRO pick(items, salt, i) AS
    items[1 + (md5_number_lower(salt || i) % len(items)::UBIGINT)::BIGINT];
INSERT INTO media (
    challenge_id, file, position, time, era, era_candidates, label, source, parquet, row, city,
    aug_level, flip_horizontal, flip_vertical
)
SELECT
    md5(i::VARCHAR)[:16], 'log ' || i % 3, i,
    CASE WHEN i % 7 > 0 THEN TIMESTAMP '2025-06-01' + INTERVAL 1 HOUR * (i // 3 % 20) END,
    pick(['E5', 'E7', 'E9'], 'era', i), [], pick([0, 1], 'label', i),
    pick([NULL, 'real', 'synthetic'], 'source', i),
    CASE WHEN i % 9 > 0 THEN 'shard.parquet' END, CASE WHEN i % 9 > 0 THEN i % 17 END,
    pick([NULL, 'Boston', 'none', 'boston'], 'city', i), pick([NULL, -1, 0, 1, 2, 3], 'level', i),
    false, false
FROM range(130) AS t (i);
INSERT INTO responses (challenge_id, slot, uid, hotkey, prediction)
SELECT
    challenge_id, slot, pick([0, 1, 2, 3, 4, 5], 'uid', position * 10 + slot),
    pick(['5a', '5a', '5b'], 'hotkey', position * 10 + slot),
    pick([-1, NULL, 0.5, 1.5, 1.7, -0.7, 0.2, 0.9, 0.51, 0.1], 'answer', position * 10 + slot)
FROM media, range(6) AS s (slot)
WHERE position % 11 > 0 AND slot < 1 + position % 6;
INSERT INTO replay_runs VALUES ('replay-a', 'a', false, '2026-01-01', 100, 80, '{}');
INSERT INTO replay_predictions
SELECT
    run.run_id, challenge_id,
    pick([NULL, 0.5, -1, 0.9, 'nan'::DOUBLE, 0.7, 0.1], run.run_id, position) AS probability,
    0, 0,
    CASE
        WHEN probability IS NULL THEN 'impossible' WHEN aug_level > 1 THEN 'distribution'
        ELSE 'exact'
    END,
    CASE WHEN probability IS NULL THEN 'shard missing' END, 1, 0
FROM media, (VALUES ('replay-a'), ('replay-b')) AS run (run_id)
WHERE position % 5 > 0 OR run.run_id = 'replay-b';
"""


def fill_listed_world(store: Store) -> None:
    """Write it."""
    with writing(store) as writer:
        for statement in _FILL.split(";"):
            if statement.strip():
                writer.connection.execute(statement)
