"""A store of many challenges, as pages show it.

It is made by SQL, without images: seven answers a challenge of 256 miners, and a finished
replay of a model with gates.
"""

from analytics.warehouse.connection import writing
from data.store import Store

ANSWERS, MINERS, IMAGES, VIEWS = 7, 256, 8_549, 12
RUN = "replay-bench"

# source images as many as the public data set has; a fifth synthetic, which no replay rebuilds
_FILL_WAREHOUSE = """
CREATE TEMP TABLE sent AS
SELECT
    i,
    lower(printf('%016x', hash(i))) AS challenge_id,
    (hash(i) % {images})::BIGINT AS row,
    ((hash(hash(i) % {images}) >> 7) % 2)::INTEGER AS label,
    ((hash(i) >> 20) % 4)::INTEGER AS level,
    (hash(i) >> 30) % 5 = 0 AS synthetic
FROM range({challenges}) AS t (i);
INSERT INTO media (
    challenge_id, run_id, segment, step, file, position, time, era, era_candidates, label, source,
    parquet, row, image_width, image_height, source_id, city, gps_lat, gps_lon, geometry, aug_level,
    angle, crop_top, crop_left, crop_height, crop_width, flip_horizontal, flip_vertical
)
SELECT
    challenge_id, 'bench' || i // 50000, 0, i, 'run-bench' || i // 50000 || '.wandb', i,
    TIMESTAMP '2025-06-01' + INTERVAL 30 SECOND * i,
    CASE i * 3 // {challenges} WHEN 0 THEN 'E7' WHEN 1 THEN 'E8' ELSE 'E9' END AS era,
    [era], label,
    CASE WHEN synthetic THEN 'synthetic' ELSE 'real' END,
    CASE WHEN NOT synthetic THEN 'train-0000' || row % 7 || '-of-00007.parquet' END,
    CASE WHEN NOT synthetic THEN row END,
    1920, 1080,
    CASE WHEN NOT synthetic THEN row END,
    CASE WHEN NOT synthetic THEN 'city_' || row % 23 END,
    CASE WHEN NOT synthetic THEN 30 + row % 23 * 0.6 + row % 100 * 0.001 END,
    CASE WHEN NOT synthetic THEN -120 + row % 23 * 2.0 + row % 89 * 0.001 END,
    'crop', level,
    CASE WHEN level > 0 THEN (hash(i) % 1000000)::DOUBLE / 25000 - 20 END,
    CASE WHEN level > 0 THEN (hash(i) >> 3) % 300 END,
    CASE WHEN level > 0 THEN (hash(i) >> 13) % 900 END,
    CASE WHEN level > 0 THEN 500 + (hash(i) >> 23) % 280 END,
    CASE WHEN level > 0 THEN 500 + (hash(i) >> 23) % 280 END,
    false, false
FROM sent ORDER BY i;
INSERT INTO responses (challenge_id, slot, uid, hotkey, prediction, reward, accuracy, mcc)
SELECT
    challenge_id, slot, uid, '5' || md5('hotkey ' || uid || i * 2 // {challenges} * (uid % 9)),
    CASE WHEN u < 0.02 THEN -1 ELSE 0.5 + (2 * label - 1) * (0.45 - u * (uid + 90) / 350.0) END,
    u, 1 - u, 1 - u
FROM (
    SELECT
        *, ((hash(i) // 1024 + slot * 25) % {miners})::INTEGER AS uid,
        (hash(i * 31 + slot) % 1000000)::DOUBLE / 1e6 AS u
    FROM sent, range({answers}) AS s (slot)
) ORDER BY i, slot;
INSERT INTO replay_runs
SELECT
    '{run}', 'bench', false, now()::TIMESTAMP, {challenges},
    count(*) FILTER (WHERE NOT synthetic), '{{}}'
FROM sent;
INSERT INTO replay_variants
SELECT
    '{run}', challenge_id, variant, 1 / count(*) OVER (PARTITION BY i), false,
    0.5 + (2 * label - 1) * (0.4 - (hash(i * 37 + variant) % 1000)::DOUBLE / 1600)
FROM sent, range(4) AS v (variant)
WHERE variant < CASE WHEN level > 1 THEN 4 ELSE 1 END AND NOT synthetic;
INSERT INTO replay_predictions
SELECT
    '{run}', challenge_id, answer.probability, 0, answer.positive,
    CASE WHEN synthetic THEN 'impossible' WHEN answer.n > 1 THEN 'distribution' ELSE 'exact' END,
    CASE WHEN synthetic THEN 'synthetic source' END, coalesce(answer.n, 0), 0
FROM sent
LEFT JOIN (
    SELECT
        challenge_id, count(*) AS n, avg(probability) AS probability,
        avg((probability > 0.5)::INTEGER) AS positive
    FROM replay_variants GROUP BY challenge_id
) AS answer USING (challenge_id) ORDER BY i;
INSERT INTO replay_gates
SELECT
    '{run}', challenge_id, view, gate, gate / sum(gate) OVER (PARTITION BY i)
FROM (
    SELECT *, (hash(i * 41 + view) % 1000 + view * 10)::DOUBLE / 1200 AS gate
    FROM sent, range(1, {views} + 1) AS v (view)
    WHERE NOT synthetic
);
"""


def fill_warehouse(store: Store, challenges: int) -> None:
    """Write so many challenges with their answers, and a replay of them."""
    sizes = {
        "challenges": challenges,
        "answers": ANSWERS,
        "miners": MINERS,
        "images": IMAGES,
        "views": VIEWS,
        "run": RUN,
    }
    with writing(store) as writer:
        for statement in _FILL_WAREHOUSE.format(**sizes).split(";"):
            if statement.strip():
                writer.connection.execute(statement).fetchall()
    _refuse_work_beside_pages(store)


def _refuse_work_beside_pages(store: Store) -> None:
    """Put files where processes of pages have folders: they would take minutes beside a bench."""
    for place in (store.runs / RUN / "comparisons", store.miners):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("no process of its own beside a bench")
