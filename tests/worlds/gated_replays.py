"""Two replays written by hand, one with gates of 3 views and one without gates."""

# After gates were inserted with a share of 0.
SHARES_OF_GATES = """
UPDATE replay_gates SET share = gate / (
    SELECT sum(gate) FROM replay_gates AS every
    WHERE every.run_id = replay_gates.run_id AND every.challenge_id = replay_gates.challenge_id
);
"""

# 60 challenges on 20 source images; every third answer is wrong, and there the first view is more
# open by 0.5. Number 3 is exactly 0.5, which is class 0. The last two have no image and no gates.
GATED_REPLAYS = (
    """
INSERT INTO media (
    challenge_id, file, position, era, era_candidates, label, parquet, row,
    flip_horizontal, flip_vertical
)
SELECT 'c' || i, 'f', i, 'E7', ['E7'], i % 2, 's.parquet', i % 20, false, false
FROM range(60) AS t (i);
INSERT INTO replay_runs VALUES
    ('gated', 'm', false, '2026-01-01', 60, 59, '{}'),
    ('plain', 'm', false, '2026-01-02', 60, 59, '{}');
INSERT INTO replay_predictions
SELECT
    'gated', 'c' || i,
    CASE WHEN i = 59 THEN NULL WHEN i = 3 THEN 0.5
        WHEN (i % 3 = 0) = (i % 2 = 0) THEN 0.9 ELSE 0.1 END,
    0, 0, CASE WHEN i % 5 = 0 THEN 'distribution' ELSE 'exact' END,
    CASE WHEN i = 59 THEN 'shard missing' END, 1, 0
FROM range(60) AS t (i);
INSERT INTO replay_gates
SELECT
    'gated', 'c' || i, view,
    CASE view
        WHEN 1 THEN CASE WHEN i % 3 = 0 THEN 0.8 ELSE 0.3 END + 0.01 * (i % 20) / 20
        WHEN 2 THEN CASE WHEN i % 4 = 0 THEN 0 ELSE 0.5 END
        ELSE 0.4 END,
    0
FROM range(58) AS t (i), range(1, 4) AS v (view);
"""
    + SHARES_OF_GATES
)
