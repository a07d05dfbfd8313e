"""The threshold of an export: a shift of the logit, for validators round answers at 0.5.

`compare` finds it on the earlier part of a replay's challenges, and evaluates it on the later part;
an export takes it from a replay of the very checkpoint that is exported.
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from analytics.comparison.best_logit_shift import LogitShift
from analytics.queries.replay_runs import ReplayRun, replay_runs, run_description
from analytics.warehouse.connection import reading
from data.errors import RunError, StreetReplayError
from data.store import Store
from replay.comparing.loaded_answers import LATEST
from replay.comparing.report import ComparedRuns, comparison_report
from replay.comparing.results import Comparison
from replay.comparing.with_miners import CompareSettings

# Beyond it every probability is 0 or 1.
_MOST_SHIFT = 30.0


@dataclass(frozen=True)
class ThresholdRequest:
    """Which shift a person asks for: of a run's `compare`, by hand, or neither: the newest run's.

    Raises:
        RunError: both, or a shift out of its range.
    """

    run: str | None = None
    shift: float | None = None

    def __post_init__(self) -> None:
        if self.run is not None and self.shift is not None:
            raise RunError("--threshold-from and --shift", found="both", expected="one of them")
        if self.shift is not None and not abs(self.shift) <= _MOST_SHIFT:
            raise RunError(
                "--shift",
                found=self.shift,
                expected=f"-{_MOST_SHIFT:g} to {_MOST_SHIFT:g}, added to the logit",
            )


@dataclass(frozen=True)
class Threshold:
    """The shift of the logit that is exported, 0 for none, and what it rests on, in `why`.

    `fitted` is what `compare` found on the run; `comparison` all that it says of it. Both are None
    without a run.
    """

    shift: float
    why: str
    fitted: LogitShift | None = None
    comparison: Comparison | None = None

    def as_json(self) -> dict[str, Any]:
        """The shift and what it rests on, without the comparison."""
        fitted = None if self.fitted is None else asdict(self.fitted)
        run = None if self.comparison is None else self.comparison.run_id
        return {"shift": self.shift, "why": self.why, "run_id": run, "fitted": fitted}


def chosen_threshold(
    store: Store,
    fingerprints: Collection[str],
    request: ThresholdRequest,
    settings: CompareSettings = CompareSettings(),
    on_progress: Callable[[int], Any] = lambda _: None,
) -> Threshold:
    """The shift to export, and the comparison that it is from.

    A shift that lost reward on the later part is left out, whoever asked for the run: a person who
    wants it all the same gives it by hand.

    Args:
        store: with the replays.
        fingerprints: of the checkpoint as a candidate, on each kind of device.
        request: what a person asks for.
        settings: of the comparison.
        on_progress: as `compare_with_miners` calls it.

    Raises:
        RunError: the run that is asked for is none, or not of this checkpoint.
        StoreError: it is asked for, and there is no warehouse.
    """
    if request.shift is not None:
        return Threshold(request.shift, "given by hand")
    if request.run is None and not store.warehouse.is_file():
        return Threshold(0.0, "no replay of this checkpoint in the store")
    with reading(store) as connection:
        run = _run(connection, fingerprints, request.run)
        if run is None:
            return Threshold(0.0, "no replay of this checkpoint in the store")
        try:
            compared = ComparedRuns(run.run_id)
            report = comparison_report(
                store, connection, compared, settings, on_progress=on_progress
            )
        except StreetReplayError as error:
            if request.run is not None:
                raise
            return Threshold(0.0, f"{run.run_id} cannot be compared with miners ({error})")
    return threshold_of(report.comparison)


def threshold_of(comparison: Comparison) -> Threshold:
    """The shift that a comparison found; 0 where it lost reward on the later part."""
    fitted, run = comparison.shift, comparison.run_id
    if fitted is None:
        return Threshold(0.0, f"a part in time of {run} is empty", None, comparison)
    shift, verb = fitted.shift, "was"
    if fitted.difference < 0:
        shift, verb = 0.0, f"({fitted.shift:+.3f}) is left out: it was"
    why = (
        f"the best shift of {fitted.tried} on the first {fitted.earlier_n} challenges of {run} "
        f"{verb} evaluated on the last {fitted.later_n}: mean reward {fitted.unshifted:.3f} -> "
        f"{fitted.reward:.3f}, difference {fitted.difference:+.3f}{_interval(fitted)}"
    )
    return Threshold(shift, why, fitted, comparison)


def _interval(fitted: LogitShift) -> str:
    if fitted.interval is None:
        return " (too few source images for an interval)"
    low, high = fitted.interval
    return f" ({low:+.3f} to {high:+.3f})"


def _run(
    connection: duckdb.DuckDBPyConnection, fingerprints: Collection[str], asked: str | None
) -> ReplayRun | None:
    """The run that is asked for, or else the newest of this checkpoint, image-only."""
    for run in replay_runs(connection):
        if asked not in (None, LATEST, run.run_id):
            continue
        own = run_description(connection, run.run_id).get("model_fingerprint") in fingerprints
        if own and not run.uses_metadata:
            return run
        if asked is not None:
            raise RunError(
                f"--threshold-from {asked}",
                found=f"{run.run_id}, of {run.model}"
                + (" with metadata" if own else ", another candidate"),
                expected="an image-only replay of this very checkpoint, all its views",
                remedy="replay --model its folder first, or give --shift",
            )
    if asked is None:
        return None
    raise RunError(
        f"--threshold-from {asked}",
        found="no finished replay of that name",
        expected="the run id of a replay of this store, or latest",
    )
