"""Finished replays written into a warehouse without rebuilding any image."""

import numpy as np

from analytics.warehouse.connection import reading, writing
from analytics.warehouse.rows import append_rows
from data.store import Store

ReplayAnswers = dict[str, list[float] | float | None]
"""By challenge: the probability, those of equally likely images, or None for none."""


def publish_replay(
    store: Store, answers: ReplayAnswers, run_id: str = "replay-a", *, uses_metadata: bool = False
) -> None:
    """Put a finished replay into the warehouse, as the runner does."""
    predictions, variants = [], []
    for challenge_id, given in answers.items():
        images = given if isinstance(given, list) else [] if given is None else [given]
        named = {"run_id": run_id, "challenge_id": challenge_id}
        mean = float(np.mean(images)) if images else None
        share = float(np.mean(np.array(images) > 0.5)) if images else None
        kind = "impossible" if not images else "exact" if len(images) == 1 else "distribution"
        predictions.append(
            named
            | {"probability": mean, "positive_share": share, "spread": None, "noisy": 0}
            | {"images": len(images), "fidelity": kind}
            | {"reason": None if images else "shard missing"}
        )
        variants += [
            named
            | {"variant": k, "weight": 1 / len(images), "noisy": False, "probability": probability}
            for k, probability in enumerate(images)
        ]
    run = {"run_id": run_id, "model": "m", "uses_metadata": uses_metadata, "settings": "{}"}
    counted = {"selected": len(answers), "predicted": 0}
    with writing(store) as writer:
        finished = {"finished": np.datetime64("2026-01-01", "us").item()}
        append_rows(writer.connection, "replay_runs", [run | counted | finished])
        append_rows(writer.connection, "replay_predictions", predictions)
        append_rows(writer.connection, "replay_variants", variants)


def ids_by_position(store: Store) -> dict[int, str]:
    with reading(store) as connection:
        found = connection.execute("SELECT position, challenge_id FROM media").fetchall()
    return dict(found)
