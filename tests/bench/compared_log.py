"""A long log and a finished replay of it, as `compare` reads them, written by SQL without images.

Each challenge asks ten of 256 miners, as validators do (DOMAIN.md section 1): a million hold ten
million answers. Half of them show one of 8,549 rows, as many as the public data set has; the other
half name no row and are images of their own. Two validators log by turns; eight
uids change their hotkey and get it back. Every
field has values to slice by; environment also holds free text, another one in each 20th challenge.
"""

from analytics.warehouse.connection import writing
from data.store import Store

ANSWERS, MINERS, IMAGES = 10, 256, 8_549
_UIDS = 248

_FILL_WAREHOUSE = """
CREATE TEMP MACRO pick(seed, many) AS (hash(seed) % many)::BIGINT;
CREATE TEMP TABLE sent AS
SELECT
    i,
    lower(printf('%016x%016x', hash(i), hash(i + 1))) AS challenge_id,
    CASE WHEN (hash(i) >> 40) % 2 = 0 THEN (hash(i) % {images})::BIGINT END AS row,
    ((hash(hash(i) % {images}) >> 7) % 2)::INTEGER AS label,
    ((hash(i) >> 20) % 4)::INTEGER AS level,
    400 + pick(i + 13, 680) AS side
FROM range({challenges}) AS t (i);
INSERT INTO media (
    challenge_id, run_id, segment, step, file, position, time, era, era_candidates, label, source,
    parquet, row, image_width, image_height, city, city_null, gps_lat, gps_lon, gps_null, daytime,
    environment, weather, scene_description, scene_description_null, geometry, aug_level,
    crop_height, crop_width, flip_horizontal, flip_vertical
)
SELECT
    challenge_id, 'run-' || i % 2, 0, i // 2, 'run-' || i % 2 || '.wandb', i // 2,
    TIMESTAMP '2025-06-01' + INTERVAL 30 SECOND * i,
    CASE i * 3 // {challenges} WHEN 0 THEN 'E7' WHEN 1 THEN 'E8' ELSE 'E9' END AS era,
    [era], label,
    CASE WHEN row IS NULL THEN 'synthetic' ELSE 'real' END,
    CASE WHEN row IS NOT NULL THEN 'train-0000' || row % 7 || '-of-00007.parquet' END, row,
    CASE row % 3 WHEN 0 THEN 4032 ELSE 1920 END, CASE row % 3 WHEN 0 THEN 3024 ELSE 1080 END,
    'city_' || row % 18, CASE WHEN row IS NULL THEN 'absent' END,
    30 + row % 18 * 0.6 + row % 100 * 0.001, -120 + row % 18 * 2.0 + row % 89 * 0.001,
    CASE WHEN row IS NULL THEN 'absent' END,
    ['Light', 'Dark', 'Twilight'][1 + pick(i + 3, 3)],
    CASE WHEN pick(i + 5, 20) = 0 THEN 'free text ' || i
        ELSE ['Urban', 'Suburban', 'Rural', 'Highway', 'Other', 'Unknown'][1 + pick(i + 7, 6)] END,
    ['Sunny', 'Cloudy', 'Rain', 'Wet', 'Snow', 'Fog', 'Unknown'][
        1 + pick(i + 9, 6) : 1 + pick(i + 9, 6) + pick(i + 11, 2)
    ],
    CASE WHEN label = 1 THEN 'roadwork ahead ' || i END,
    CASE WHEN label = 0 THEN 'absent' END,
    'crop', level, CASE WHEN level > 0 THEN side END, CASE WHEN level > 0 THEN side END,
    false, false
FROM sent ORDER BY i;
INSERT INTO responses (challenge_id, slot, uid, hotkey, prediction, reward, accuracy, mcc)
SELECT
    challenge_id, slot, uid,
    '5' || md5('hotkey ' || uid || CASE WHEN uid < 8 THEN i * 3 // {challenges} % 2 ELSE 0 END),
    CASE WHEN u < 0.02 THEN -1 ELSE 0.5 + (2 * label - 1) * (0.45 - u * (uid + 90) / 350.0) END,
    u, 1 - u, 1 - u
FROM (
    SELECT
        *, ((hash(i) // 1024 + slot * 24) % {uids})::INTEGER AS uid,
        (hash(i * 31 + slot) % 1000000)::DOUBLE / 1e6 AS u
    FROM sent, range({answers}) AS s (slot)
) ORDER BY i, slot;
INSERT INTO replay_runs VALUES
    ('replay-bench', 'bench', false, now()::TIMESTAMP, {challenges}, {challenges}, '{{}}');
INSERT INTO replay_variants
SELECT
    'replay-bench', challenge_id, variant, 1 / count(*) OVER (PARTITION BY i), false,
    0.5 + (2 * label - 1) * (0.4 - (hash(i * 37 + variant) % 1000)::DOUBLE / 1600)
FROM sent, range(16) AS v (variant)
WHERE variant < CASE level WHEN 2 THEN 8 WHEN 3 THEN 16 ELSE 1 END;
INSERT INTO replay_predictions
SELECT
    run_id, challenge_id, avg(probability), 0, avg((probability > 0.5)::INTEGER),
    CASE WHEN count(*) > 1 THEN 'distribution' ELSE 'exact' END, NULL, count(*), 0
FROM replay_variants GROUP BY run_id, challenge_id;
"""


def fill_warehouse(store: Store, challenges: int) -> None:
    """Write a log of so many challenges, and a finished replay that predicted them all."""
    sizes = {"challenges": challenges, "images": IMAGES, "uids": _UIDS, "answers": ANSWERS}
    with writing(store) as writer:
        for statement in _FILL_WAREHOUSE.format(**sizes).split(";"):
            if statement.strip():
                writer.connection.execute(statement).fetchall()
