"""Comparisons computed by a process of its own, for pages that do not wait for them.

It runs what keeps its results with the run. Each start has a folder below the run's, see
`data.background.process`.
"""

import re
from pathlib import Path

from data.background.process import BackgroundProcess, latest, start
from data.errors import RunError
from data.store import Store
from replay.comparing.kept_comparison import Asked, comparisons_folder

_COMMANDS, _CLUSTERS = "streetreplay", "replay.comparing.clusters"
_RUN_ID = re.compile(r"replay-[0-9a-z-]+")


def start_comparison(store: Store, asked: Asked) -> BackgroundProcess:
    """Start computing a comparison with default settings, with slices if it asks for them.

    Raises:
        RunError: it is being computed already, or it did not start.
        WriteError: the store cannot be written.
    """
    arguments = ["compare", _checked(asked.run), f"--store={store.argument}", "--json"]
    if asked.other is not None:
        arguments.append(f"--against={_checked(asked.other)}")
    if asked.settings.slices is not None:
        arguments.append("--slices")
    return start(comparisons_folder(store, asked.run) / asked.key, _COMMANDS, lambda _: arguments)


def last_comparison(store: Store, asked: Asked) -> BackgroundProcess | None:
    """The last start of this comparison, however it stands; None if there was none."""
    return latest(comparisons_folder(store, asked.run) / asked.key)


def start_clusters(store: Store, run_id: str) -> BackgroundProcess:
    """Start scoring the GPS clusters with a run, with default settings.

    Raises:
        RunError: it is being done already, or it did not start.
        WriteError: the store cannot be written.
    """
    arguments = [store.argument, _checked(run_id)]
    return start(_clusters_folder(store, run_id), _CLUSTERS, lambda _: arguments)


def last_clusters(store: Store, run_id: str) -> BackgroundProcess | None:
    """The last start of this scoring, however it stands; None if there was none."""
    return latest(_clusters_folder(store, run_id))


def _clusters_folder(store: Store, run_id: str) -> Path:
    return comparisons_folder(store, run_id) / "gps-clusters"


def _checked(run_id: str) -> str:
    """An id that came from a warehouse becomes part of a command and of a path."""
    if not _RUN_ID.fullmatch(run_id):
        raise RunError(
            f"run {run_id!r}", found="an id of another form", expected="replay- and letters"
        )
    return run_id
