"""Compiles the demo's numba functions in another process while the demo is imported and drawn.

A tiny demo runs there, a step ahead of the real one. Numba keeps on disk what it compiles, so the
real demo waits for little of the half minute that compiling takes in a new checkout. Where the tiny
demo fails, the real one compiles for itself.
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
    """Run a tiny demo in another process; steps not begun at the block's end are given up.

    A store with a warehouse has had a demo, which has compiled everything: nothing is run.
    """
    if store.warehouse.exists():
        yield lambda _step: None
        return
    # a demo that fails leaves a step running, which may write while its folder is deleted
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as folder, processes(1) as pool:
        submitted = {name: pool.submit(step, Path(folder)) for name, step in STEPS.items()}
        pool.shutdown(wait=False)  # the process ends after the last of them
        yield lambda name: _wait_for(submitted[name])


def _wait_for(step: "Future[None]") -> None:
    wait([step])  # whether it failed does not matter here


# Each step imports what it needs in the process that runs it: the real demo imports meanwhile.


def _log(folder: Path) -> None:
    from model.demo.world import draw_sources, simulate_and_ingest_log  # noqa: PLC0415

    store = Store(folder)
    simulate_and_ingest_log(store, draw_sources(store, _TINY), _TINY)


def _replay(folder: Path) -> None:
    from model.demo.run import replay_orange  # noqa: PLC0415

    replay_orange(Store(folder), _TINY)


def _compare(folder: Path) -> None:
    from model.demo.run import compare_baseline  # noqa: PLC0415

    compare_baseline(Store(folder), "latest")


STEPS: dict[str, Callable[[Path], None]] = {"log": _log, "replay": _replay, "compare": _compare}
"""The steps up to a demo's first result, in their order."""
