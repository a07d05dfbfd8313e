"""A candidate that answers with an image's mean brightness, and its stored predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.queries.user_sql import query
from data.store import Store
from replay.candidates.predictor import Batch, Predictions


@dataclass
class Brightness:
    """A predictor whose answers are easy to check, and which remembers what it was asked."""

    name: str = "brightness"
    fingerprint: str = "1"
    wants_metadata: bool = False
    asked: list[tuple[str, ...]] = field(default_factory=list)
    seen: list[Mapping[str, Any]] = field(default_factory=list)

    def predict(self, batch: Batch) -> Predictions:
        self.asked.append(tuple(batch.challenge_ids))
        self.seen += batch.metadata or []
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))


def stored_predictions(store: Store) -> list[tuple[Any, ...]]:
    return query(store, "SELECT * EXCLUDE (run_id) FROM replay_predictions ORDER BY ALL").rows
