"""Long logs: random answers scored as a validator does, written straight into a warehouse."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.scoring.tracker import METRICS, SUBNET_UIDS, EmaScores, ScoredAnswers, Tracker
from analytics.warehouse.connection import writing
from data.store import Store

MINERS_ASKED = 10
_BATCH = 10_000


@dataclass(frozen=True)
class AnswerBatch:
    """Answers of some challenges, ASKED each, in order; arrays of shape (n,)."""

    uids: NDArray[np.int64]
    predictions: NDArray[np.float64]
    labels: NDArray[np.int64]

    def score(self, tracker: Tracker) -> ScoredAnswers:
        """Score them with a tracker; no hotkey changes."""
        return tracker.answer(self.uids, self.uids, self.predictions, self.labels, 3)


def random_answers(challenges: int, seed: int = 0) -> Iterator[AnswerBatch]:
    """Random answers, right more often than not, in batches."""
    rng = np.random.default_rng(seed)
    for first in range(0, challenges, _BATCH):
        count = min(_BATCH, challenges - first)
        ranks = rng.random((count, SUBNET_UIDS)).argpartition(MINERS_ASKED, axis=1)
        labels = np.repeat(rng.integers(0, 2, count), MINERS_ASKED)
        margins = rng.normal(1.5, 1.5, count * MINERS_ASKED) * np.where(labels == 1, 1, -1)
        predictions = 1 / (1 + np.exp(-margins))
        predictions[rng.random(len(predictions)) < 0.03] = -1.0
        yield AnswerBatch(ranks[:, :MINERS_ASKED].ravel().astype(np.int64), predictions, labels)


def fill_warehouse(store: Store, challenges: int) -> None:
    """Fill a warehouse with such a log, from its first challenge on."""
    tracker, scores = Tracker(), EmaScores(np.zeros(SUBNET_UIDS))
    with writing(store) as writer:
        first = 0
        for batch in random_answers(challenges):
            scored = batch.score(tracker)
            rewards = scored.reward.reshape(-1, MINERS_ASKED)
            vectors = np.empty((len(rewards), SUBNET_UIDS), np.float32)
            for row, (uids, earned) in enumerate(
                zip(batch.uids.reshape(-1, MINERS_ASKED), rewards, strict=True)
            ):
                scores.update(uids.tolist(), earned.tolist())
                vectors[row] = scores.values
            _insert(writer.connection, first, batch, scored, vectors)
            first += len(rewards)


def _insert(
    connection: duckdb.DuckDBPyConnection,
    first: int,
    batch: AnswerBatch,
    scored: ScoredAnswers,
    vectors: NDArray[np.float32],
) -> None:
    positions = np.arange(first, first + len(vectors))
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * SUBNET_UIDS
    media = {
        "position": positions,
        "label": batch.labels[::MINERS_ASKED],
        "scores": pa.ListArray.from_arrays(offsets, vectors.ravel()),
    }
    responses = {
        "position": np.repeat(positions, MINERS_ASKED),
        "slot": np.tile(np.arange(MINERS_ASKED), len(vectors)),
        "uid": batch.uids,
        "prediction": batch.predictions,
        "reward": scored.reward,
        **{name: getattr(scored, name) for name in METRICS},
    }
    for relation, columns, more in (
        (
            "media",
            media,
            "'long' AS file, 'E7' AS era, ['E7'] AS era_candidates, "
            "false AS flip_horizontal, false AS flip_vertical",
        ),
        ("responses", responses, "'5' || uid AS hotkey"),
    ):
        connection.register("batch", pa.table(columns))
        left_out = " EXCLUDE (position)" if relation == "responses" else ""
        connection.execute(
            f"INSERT INTO {relation} BY NAME SELECT *{left_out}, {more}, "  # noqa: S608
            "lpad(to_hex(hash(position)), 16, '0') AS challenge_id FROM batch"
        )
        connection.unregister("batch")
