"""A tiny demo in another process, a step ahead of the real one.

What numba compiles it keeps on disk, so the real demo finds ready what the rehearsal has used: a
new checkout's first result then waits for little of the half minute that compiling takes. Beside
its time a rehearsal changes nothing; where it fails, the real demo compiles for itself.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path

from data.machine.processes import processes
from data.store import Store
from model.demo.settings import DemoSettings

_TINY = DemoSettings(scenes=12, challenges=60, uids=30, validators=2, variants=3)

WaitFor = Callable[[str], None]
"""Waits until what a step of `STEPS` uses is compiled."""


@contextmanager
def warm_up(store: Store) -> Iterator[WaitFor]:
    """Rehearse a demo of `store` from now on; what is left is given up when the block ends.

    A store with a warehouse has had a demo, which has compiled all: then there is nothing to do.
    """
    if store.warehouse.exists():
        yield no_wait
        return
    # a demo that fails leaves a step at work, which may write while its folder is deleted
    kept = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with kept as folder, processes(1) as pool:
        begun = {name: pool.submit(step, Path(folder)) for name, step in STEPS.items()}
        pool.shutdown(wait=False)  # that is all: the process ends after the last of them
        yield lambda name: _wait_for(begun[name])


def no_wait(_step: str) -> None:
    """Nothing is waited for."""


def _wait_for(step: "Future[None]") -> None:
    wait([step])  # how it ended is the rehearsal's own matter


# What a step needs is imported by the process that takes it: this one has its own to import.


def _log(folder: Path) -> None:
    from model.demo.world import draw_sources, read_log  # noqa: PLC0415

    store = Store(folder)
    read_log(store, draw_sources(store, _TINY), _TINY)


def _replay(folder: Path) -> None:
    from model.demo.run import replay_orange  # noqa: PLC0415

    replay_orange(Store(folder), _TINY)


def _compare(folder: Path) -> None:
    from model.demo.run import compare_baseline  # noqa: PLC0415

    compare_baseline(Store(folder), "latest")


STEPS: dict[str, Callable[[Path], None]] = {"log": _log, "replay": _replay, "compare": _compare}
"""The steps of a demo's first result, in their order."""
