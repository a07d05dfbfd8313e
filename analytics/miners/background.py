"""A report on all miners made by a process of its own, for pages that do not wait for it.

It runs the command `miners`, which keeps difficulties and doubtful labels in the store. Each start
has a folder, see `data.background.process`.
"""

from pathlib import Path

from data.background.process import BackgroundProcess, latest, start
from data.store import Store

_MODULE = "streetreplay"


def start_report(store: Store) -> BackgroundProcess:
    """Start it.

    Raises:
        RunError: it is being made already, or it did not start.
        WriteError: the store cannot be written.
    """
    arguments = ["miners", f"--store={store.argument}", "--json"]
    return start(_starts(store), _MODULE, lambda _: arguments)


def last_report(store: Store) -> BackgroundProcess | None:
    """The last start, however it stands; None if there was none."""
    return latest(_starts(store))


def _starts(store: Store) -> Path:
    return store.miners / "starts"
