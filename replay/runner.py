"""Runs a predictor over a plan: rebuild, predict in batches, write parts, publish."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import duckdb

from analytics import rows
from analytics.challenges import metadata
from analytics.warehouse import reading, writing
from data.errors import RunError
from data.sources import Shards
from data.store import Store
from replay.fidelity import Fidelity
from replay.plan import Planned, in_reading_order
from replay.predictor import Batch, Image, LazyImages, Predictor
from replay.rebuild import CannotRebuildError, Rebuilder
from replay.runs import RunFolder, open_run


@dataclass(frozen=True)
class ReplaySettings:
    """How a replay is cut up: challenges a batch, which is also a part on disk."""

    batch: int = 64


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did: challenges asked for and predicted, and why the others were not."""

    run_id: str
    model: str
    uses_metadata: bool
    selected: int
    predicted: int
    left_out: dict[str, int]


def replay(
    store: Store,
    predictor: Predictor,
    planned: Sequence[Planned],
    shards: Shards,
    *,
    settings: ReplaySettings = ReplaySettings(),
    tell: Callable[[int], None] = lambda _: None,
) -> ReplayReport:
    """Predict every challenge of a plan that has an image, and publish the run.

    Args:
        store: where the run folder lies and the warehouse is.
        predictor: the candidate.
        planned: what to replay; batches are fixed by it, so that a resumed run is the same run.
        shards: the source images.
        settings: the batch size.
        tell: called with the number of challenges done by each batch.

    Raises:
        RunError: the plan is empty, or the predictor answered something that is no probability.
    """
    if not planned:
        raise RunError("replay", found="no challenge", expected="some", remedy="ingest a log first")
    ordered = in_reading_order(planned)
    run = open_run(store, predictor, ordered, shards, settings.batch)
    rebuilder = Rebuilder(shards)
    known = _metadata(store, ordered) if predictor.wants_metadata else None
    done: list[dict[str, Any]] = []
    for index, start in enumerate(range(0, len(ordered), settings.batch)):
        part = ordered[start : start + settings.batch]
        if not run.part(index).exists():
            run.write_part(index, _predict(part, predictor, rebuilder, known))
        done += run.read_part(index)
        tell(len(part))
    return _publish(store, run, predictor, done)


def _predict(
    part: Sequence[Planned],
    predictor: Predictor,
    rebuilder: Rebuilder,
    known: dict[str, dict[str, Any]] | None,
) -> list[dict[str, Any]]:
    """One row a challenge of the part, in its order."""
    found = {item.challenge.challenge_id: _without_image(item) for item in part}
    wanted = [item for item in part if item.fidelity is Fidelity.EXACT]
    images = {
        item.challenge.challenge_id: cache(partial(_image, rebuilder, item)) for item in wanted
    }
    while images:
        batch = Batch(
            tuple(images),
            LazyImages(list(images.values())),
            None if known is None else [known[challenge_id] for challenge_id in images],
        )
        try:
            answers = predictor.predict(batch).probability
        except CannotRebuildError as error:
            # Images are built when looked at, so only now is it known that this one cannot be.
            found[error.challenge_id] |= {
                "fidelity": Fidelity.IMPOSSIBLE,
                "reason": error.reason,
            }
            del images[error.challenge_id]
            continue
        if len(answers) != len(images):
            raise RunError(
                f"answers of {predictor.name}",
                found=len(answers),
                expected=f"{len(images)}, one each",
            )
        for challenge_id, probability in zip(images, answers, strict=True):
            found[challenge_id] |= {"probability": _checked(probability, predictor), "spread": 0.0}
        break
    return list(found.values())


def _metadata(store: Store, planned: Sequence[Planned]) -> dict[str, dict[str, Any]]:
    ids = [item.challenge.challenge_id for item in planned]
    with reading(store) as connection:
        return dict(zip(ids, metadata(connection, ids), strict=True))


def _image(rebuilder: Rebuilder, item: Planned) -> Image:
    return rebuilder.rebuild(item.challenge).decoded()


def _without_image(item: Planned) -> dict[str, Any]:
    return {
        "challenge_id": item.challenge.challenge_id,
        "probability": None,
        "spread": None,
        "fidelity": item.fidelity,
        "reason": item.reason,
    }


def _checked(probability: float, predictor: Predictor) -> float:
    value = float(probability)
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise RunError(f"answer of {predictor.name}", found=value, expected="a probability in 0..1")
    return value


def _publish(
    store: Store, run: RunFolder, predictor: Predictor, done: list[dict[str, Any]]
) -> ReplayReport:
    left_out = Counter(row["reason"] for row in done if row["probability"] is None)
    report = ReplayReport(
        run_id=run.run_id,
        model=predictor.name,
        uses_metadata=predictor.wants_metadata,
        selected=len(done),
        predicted=len(done) - left_out.total(),
        left_out=dict(left_out.most_common()),
    )
    with writing(store) as writer:
        _insert(writer.connection, run, report, done)
    return report


def _insert(
    connection: duckdb.DuckDBPyConnection,
    run: RunFolder,
    report: ReplayReport,
    done: list[dict[str, Any]],
) -> None:
    for relation in ("replay_runs", "replay_predictions"):
        connection.execute(f"DELETE FROM {relation} WHERE run_id = ?", [run.run_id])  # noqa: S608
    settings = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    described = {
        "run_id": run.run_id,
        "model": report.model,
        "uses_metadata": report.uses_metadata,
        "finished": rows.naive_utc(datetime.now(UTC)),
        "selected": report.selected,
        "predicted": report.predicted,
        "settings": json.dumps(settings),
    }
    rows.append(connection, "replay_runs", [described])
    rows.append(connection, "replay_predictions", [{**row, "run_id": run.run_id} for row in done])
