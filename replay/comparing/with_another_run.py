"""Compares two replays, paired: on exactly the challenges that both predicted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    Scores,
    image_repeats,
    in_threads,
)
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import centred_intervals
from analytics.comparison.paired_answers import CANDIDATE, Challenges, without_miners
from analytics.comparison.weighted_auc import ranked_answers
from analytics.leaks.training_overlap import challenge_overlap
from analytics.leaks.training_rows import row_count
from analytics.lives.order import EVERYONE, Choice, Life
from analytics.miners.answers import stage
from analytics.scoring.metrics import Floats, accuracy_of_tables, mcc_of_tables
from data.errors import RunError
from replay.comparing.loaded_answers import (
    TRAINED_ON,
    RunChallenges,
    find_run,
    predicted_lives,
    run_challenges,
)
from replay.comparing.results import Difference

# indices of the two runs
_RUN, _OTHER = 0, 1


@dataclass(frozen=True)
class RunScores:
    """One of two replays, and how right it was on what both predicted.

    `accuracy` 0..1, `mcc` -1..1 (signed), `auc` 0..1; the last two are 0 for one label only. Where
    a challenge's image is a distribution it counts by the share of possible images answered above
    0.5: expected counts, never one draw; its AUC is expected too.
    """

    run_id: str
    model: str
    uses_metadata: bool
    accuracy: float
    mcc: float
    auc: float


@dataclass(frozen=True)
class RunComparison:
    """A replay against another, on the `n` challenges that both predicted.

    `lives` are the validators' that sent them, with how many each. `roadwork` of the n have label
    1, `images` are their source images. `differences` are run minus other by statistic (accuracy,
    mcc, auc), with intervals over source images; None for too few of them, and for AUC unless the
    settings ask. `left_out` counts by reason the other challenges that one or both predicted.
    `training_rows` are the distinct rows whose overlap was left out; None: that was not checked.
    """

    run: RunScores
    other: RunScores
    lives: list[Life]
    n: int
    roadwork: int
    images: int
    differences: dict[str, Difference]
    left_out: dict[str, int]
    training_rows: int | None
    draws: int
    level: float
    seed: int


def compare_with_another_run(
    connection: duckdb.DuckDBPyConnection,
    run: str,
    other: str,
    settings: BootstrapSettings = BootstrapSettings(),
    training: pl.DataFrame | None = None,
    choice: Choice = EVERYONE,
) -> RunComparison:
    """Compare two finished replays by the paired bootstrap over source images.

    Args:
        connection: of a warehouse.
        run: a run id, or `latest`.
        other: likewise, of another run.
        settings: of the intervals.
        training: rows that either candidate was trained on
            (`analytics.leaks.training_rows.read_training_rows`): challenges of the same row,
            video or place are left out. None: that is not checked.
        choice: whose challenges.

    Raises:
        RunError: there is no such run, both are the same, or no challenge is left.
        QueryError: the store holds no answer, or no such validator or logged run.
    """
    runs = [find_run(connection, name) for name in (run, other)]
    _refuse_the_same(runs)
    lives = stage(connection, choice)
    replayed = [run_challenges(connection, row) for row in runs]
    overlap = None if training is None else challenge_overlap(connection, training)
    shared, left_out = _shared(replayed, overlap)
    if shared.is_empty():
        _refuse_nothing(runs, left_out)
    sides = [challenges.only(shared.select("ordinal")).challenges() for challenges in replayed]
    points, draws = _scores(sides, settings)
    images = sides[_RUN].image_count
    return RunComparison(
        run=_run_scores(runs[_RUN], points, _RUN),
        other=_run_scores(runs[_OTHER], points, _OTHER),
        lives=predicted_lives(lives, shared),
        n=sides[_RUN].count,
        roadwork=int(sides[_RUN].labels.sum()),
        images=images,
        differences={
            name: _difference(values, draws.get(name) if images >= MIN_IMAGES else None, settings)
            for name, values in points.items()
        },
        left_out=left_out,
        training_rows=None if training is None else row_count(training),
        draws=settings.draws,
        level=settings.level,
        seed=settings.seed,
    )


def _shared(
    replayed: list[RunChallenges], overlap: pl.DataFrame | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The challenges that both predicted and nobody was trained on; the others by reason."""
    run, other = (
        challenges.predicted.select("ordinal", "life", "challenge_id") for challenges in replayed
    )
    predicted = run.join(other, on="ordinal", how="semi", maintain_order="left")
    trained = predicted.clear()
    if overlap is not None:
        overlapping = overlap.filter("overlaps")
        trained = predicted.join(overlapping, on="challenge_id", how="semi", maintain_order="left")
    ids = [challenges.run["run_id"] for challenges in replayed]
    counted = {
        f"predicted by {ids[_RUN]} only": run.height - predicted.height,
        f"predicted by {ids[_OTHER]} only": other.height - predicted.height,
        TRAINED_ON: trained.height,
    }
    shared = predicted.join(trained, on="ordinal", how="anti", maintain_order="left")
    return shared, {reason: count for reason, count in counted.items() if count}


def _scores(sides: list[Challenges], settings: BootstrapSettings) -> tuple[Scores, Scores]:
    """Point scores, (2 runs,), and scores of every draw, (draws, 2), by statistic.

    Both runs hold the same challenges, so that a draw is of the same images for both.
    """
    counts = [image_confusion(without_miners(side), side.positive_shares()) for side in sides]
    ranked = [next(ranked_answers(without_miners(side)))[CANDIDATE] for side in sides]
    count = sides[_RUN].image_count

    def tables(repeats: NDArray[np.uint8]) -> Floats:
        return np.stack([confusion.summed(repeats)[0, CANDIDATE] for confusion in counts])

    def aucs(repeats: NDArray[np.uint8]) -> Floats:
        return np.array([answers.auc(repeats) for answers in ranked])

    def draws_of(statistic: Callable[[NDArray[np.uint8]], Floats]) -> Floats:
        def draw(number: int) -> Floats:
            return statistic(image_repeats(count, settings, number))

        return np.stack(in_threads(draw, range(settings.draws), settings.threads))

    once = np.ones(count, np.uint8)
    points = _of_tables(tables(once)) | {"auc": aucs(once)}
    return points, _of_tables(draws_of(tables)) | ({"auc": draws_of(aucs)} if settings.auc else {})


def _of_tables(tables: Floats) -> Scores:
    return {"accuracy": accuracy_of_tables(tables), "mcc": mcc_of_tables(tables)}


def _run_scores(run: dict[str, Any], points: Scores, index: int) -> RunScores:
    return RunScores(
        run_id=run["run_id"],
        model=run["model"],
        uses_metadata=run["uses_metadata"],
        **{name: float(values[index]) for name, values in points.items()},
    )


def _difference(points: Floats, draws: Floats | None, settings: BootstrapSettings) -> Difference:
    """Run minus other, of (2 runs,) and (draws, 2); no interval without draws."""
    difference = points[_RUN] - points[_OTHER]
    if draws is None:
        return Difference(float(difference), None)
    drawn_differences = draws[:, _RUN] - draws[:, _OTHER]
    [(low, high)] = centred_intervals(
        np.array([difference]), drawn_differences[:, None], settings.level
    )
    return Difference(float(difference), (float(low), float(high)))


def _refuse_the_same(runs: list[dict[str, Any]]) -> None:
    ids = [row["run_id"] for row in runs]
    if ids[_RUN] == ids[_OTHER]:
        raise RunError(
            f"comparison of {ids[_RUN]}",
            found="the same run against itself",
            expected="two replays",
            remedy='name another: `streetreplay sql "SELECT run_id, model FROM replay_runs"`',
        )


def _refuse_nothing(runs: list[dict[str, Any]], left_out: dict[str, int]) -> None:
    reasons = ", ".join(f"{reason} {count}" for reason, count in left_out.items())
    raise RunError(
        f"comparison of {runs[_RUN]['run_id']} against {runs[_OTHER]['run_id']}",
        found=f"no challenge for both ({reasons or 'neither predicted any'})",
        expected="challenges that both predicted and neither was trained on",
        remedy="replay both on the same challenges: same --era, --level, --sample and --seed",
    )
