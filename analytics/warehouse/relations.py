"""The relations of a warehouse, by name."""

TABLES = (
    "media",
    "responses",
    "history_series",
    "runs",
    "rejects",
    "logs",
    "replay_runs",
    "replay_predictions",
    "replay_variants",
    "replay_gates",
    "gps_clusters",
    "null_rates",
    "sample_weights",
)
SERIES = (
    "predictions",
    "rewards",
    "scores",
    "accuracy",
    "auc",
    "f1_score",
    "mcc",
    "precision",
    "recall",
)
RELATIONS = (
    *TABLES,
    "miner_series",
    *(f"miner_{series}" for series in SERIES),
    "audit_recent_accuracy",
    "audit_sources",
)
