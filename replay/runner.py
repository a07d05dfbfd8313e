"""Runs a predictor over a plan: rebuild, predict in parts, write each, publish."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import duckdb

from analytics import rows
from analytics.challenges import metadata
from analytics.warehouse import reading, statements, writing
from data.errors import RunError
from data.sources import Shards
from data.store import Store
from replay.fidelity import Fidelity
from replay.parts import parts
from replay.plan import Planned, in_reading_order
from replay.predictor import Batch, Image, LazyImages, Predictor
from replay.rebuild import CannotRebuildError, Rebuilder
from replay.runs import RunFolder, open_run
from replay.settings import ReplaySettings
from replay.variants import Drawn

Row = dict[str, Any]
Wanted = tuple[Planned, Drawn]


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did: challenges asked for and predicted, and why the others were not.

    `exact` and `distributions` add up to `predicted`; `images` were asked about, `noisy` of them
    with noise of our own. `standard_error` is the mean, over distributions, of the spread over
    the possible images divided by the square root of how many were drawn: what a challenge's mean
    may be off by (an upper bound where all were built).
    """

    run_id: str
    model: str
    uses_metadata: bool
    selected: int
    predicted: int
    exact: int
    distributions: int
    images: int
    noisy: int
    standard_error: float | None
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
    """Predict every possible image of a plan's challenges, and publish the run.

    Args:
        store: where the run folder lies and the warehouse is.
        predictor: the candidate.
        planned: what to replay; parts are fixed by it, so that a resumed run is the same run.
        shards: the source images.
        settings: the size of parts, and the seed.
        tell: called with the number of challenges done by each part.

    Raises:
        RunError: the plan is empty, or the predictor answered something that is no probability.
    """
    if not planned:
        raise RunError("replay", found="no challenge", expected="some", remedy="ingest a log first")
    ordered = in_reading_order(planned)
    run = open_run(store, predictor, ordered, shards, settings)
    rebuilder = Rebuilder(shards, settings.seed)
    known = _metadata(store, ordered) if predictor.wants_metadata else None
    count = 0
    for part in parts(ordered, settings):
        if not run.has_part(count):
            run.write_part(count, _predict(part, predictor, rebuilder, known))
        count += 1
        tell(len(part))
    return _publish(store, run, predictor, count)


def _predict(
    part: Sequence[Planned],
    predictor: Predictor,
    rebuilder: Rebuilder,
    known: Mapping[str, Row] | None,
) -> list[Row]:
    """One row an image of the part, in its order; one without an answer where there is none."""
    wanted = [(item, drawn) for item in part for drawn in item.drawn]
    images = [cache(partial(_image, rebuilder, item, drawn)) for item, drawn in wanted]
    impossible: dict[str, str] = {}
    answers: Mapping[int, float] = {}
    while True:
        asked = [k for k, (item, _) in enumerate(wanted) if _id(item) not in impossible]
        try:
            answers = _ask(predictor, wanted, images, asked, known) if asked else {}
        except CannotRebuildError as error:
            # Images are built when looked at, so only now is it known that these cannot be.
            impossible[error.challenge_id] = error.reason
            continue
        break
    found = [_row(item) for item in part if not item.drawn or _id(item) in impossible]
    for row in found:
        if row["challenge_id"] in impossible:
            row |= {"fidelity": Fidelity.IMPOSSIBLE, "reason": impossible[row["challenge_id"]]}
    return found + [_row(*wanted[k], probability=answers[k]) for k in asked]


def _ask(
    predictor: Predictor,
    wanted: Sequence[Wanted],
    images: Sequence[Callable[[], Image]],
    asked: Sequence[int],
    known: Mapping[str, Row] | None,
) -> dict[int, float]:
    ids = [_id(wanted[k][0]) for k in asked]
    metadata_of = None if known is None else [known[one] for one in ids]
    batch = Batch(ids, LazyImages([images[k] for k in asked]), metadata_of)
    answers = predictor.predict(batch).probability
    if len(answers) != len(asked):
        raise RunError(
            f"answers of {predictor.name}", found=len(answers), expected=f"{len(asked)}, one each"
        )
    return {k: _checked(answer, predictor) for k, answer in zip(asked, answers, strict=True)}


def _id(item: Planned) -> str:
    return item.challenge.challenge_id


def _image(rebuilder: Rebuilder, item: Planned, drawn: Drawn) -> Image:
    return rebuilder.rebuild(item.challenge, drawn).decoded()


def _row(item: Planned, drawn: Drawn | None = None, probability: float | None = None) -> Row:
    return {
        "challenge_id": _id(item),
        "fidelity": item.fidelity,
        "reason": item.reason,
        "variant": None if drawn is None else drawn.index,
        "weight": None if drawn is None else drawn.weight,
        "noisy": None if drawn is None else drawn.noisy,
        "probability": probability,
    }


def _checked(probability: float, predictor: Predictor) -> float:
    value = float(probability)
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise RunError(f"answer of {predictor.name}", found=value, expected="a probability in 0..1")
    return value


def _metadata(store: Store, planned: Sequence[Planned]) -> dict[str, Row]:
    ids = [_id(item) for item in planned]
    with reading(store) as connection:
        return dict(zip(ids, metadata(connection, ids), strict=True))


def _publish(store: Store, run: RunFolder, predictor: Predictor, count: int) -> ReplayReport:
    with writing(store) as writer:
        connection = writer.connection
        for relation in ("replay_runs", "replay_predictions", "replay_variants"):
            connection.execute(f"DELETE FROM {relation} WHERE run_id = ?", [run.run_id])  # noqa: S608
        for index in range(count):
            connection.execute(statements("stage_replay"))
            staged = [{**row, "run_id": run.run_id} for row in run.read_part(index)]
            rows.append(connection, "stage_replay", staged)
            connection.execute(statements("publish_replay"))
        report = _report(connection, run, predictor)
        if not report.predicted:
            # Not published: it would hide the last good replay, and score nothing.
            reasons = ", ".join(f"{reason} {n}" for reason, n in report.left_out.items())
            raise RunError(
                f"replay of {report.selected} challenges",
                found=f"an image for none of them ({reasons})",
                expected="source images",
                remedy="`streetreplay sources` says what is missing",
            )
        described = {
            "run_id": run.run_id,
            "model": report.model,
            "uses_metadata": report.uses_metadata,
            "finished": rows.naive_utc(datetime.now(UTC)),
            "selected": report.selected,
            "predicted": report.predicted,
            "settings": json.dumps(run.described()),
        }
        rows.append(connection, "replay_runs", [described])
    return report


def _report(
    connection: duckdb.DuckDBPyConnection, run: RunFolder, predictor: Predictor
) -> ReplayReport:
    result = connection.execute(statements("replay_report"), {"run_id": run.run_id})
    names = [column[0] for column in result.description]
    found = dict(zip(names, result.fetchall()[0], strict=True))
    reasons = found.pop("reasons")
    return ReplayReport(
        run_id=run.run_id,
        model=predictor.name,
        uses_metadata=predictor.wants_metadata,
        left_out=dict(Counter(reasons).most_common()),
        **found,
    )
