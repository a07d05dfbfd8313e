"""The demo in a size that a test has time for."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.store import Store
from model.demo.run import DemoReport, FirstResult, run_demo
from model.demo.settings import DemoSettings, DemoTraining
from tests.made_once import made_once
from tests.model.optimization.known_costs import costs_are_known

SMALL_DEMO = DemoSettings(
    scenes=12,
    challenges=60,
    uids=30,
    validators=2,
    variants=3,
    training=DemoTraining(scenes=24, epochs=1, side=32, validation=0.3),
)


def silence(_line: str) -> None:
    pass


@dataclass(frozen=True)
class SmallDemo:
    """A store that it was run in, its report, and its first results as they were told."""

    store: Store
    report: DemoReport
    first: list[FirstResult]


def small_demo(factory: pytest.TempPathFactory) -> SmallDemo:
    """One that was run once for all tests, which do not change it."""
    folder = made_once(factory, "small-demo", _run)
    report, first = pickle.loads((folder / _REPORTS).read_bytes())  # noqa: S301  (our own)
    return SmallDemo(Store(folder / "store"), report, first)


_REPORTS = "reports.pickle"


def _run(folder: Path) -> None:
    first: list[FirstResult] = []
    with costs_are_known():
        report = run_demo(
            Store(folder / "store"), silence, SMALL_DEMO, on_first_result=first.append
        )
    (folder / _REPORTS).write_bytes(pickle.dumps((report, first)))
