"""Interface for progress reports of long work."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol


class Report(Protocol):
    """Takes the number of further units done, and how the work stands in a few words."""

    def __call__(self, done: int = 1, status: str = "") -> Any:
        """Report units done; an empty status leaves the last one."""


Progress = Callable[[str, int], AbstractContextManager[Report]]
"""From a label and a total to a context of a report; `data.terminal_progress.progress` is one."""


def silent(_label: str, _total: int) -> AbstractContextManager[Report]:
    """Progress reports that are ignored."""
    return nullcontext(ignore_report)


def ignore_report(done: int = 1, status: str = "") -> None:
    """Report nothing."""


def no_report(*_counts: object) -> None:
    """Ignore a count, for work that calls a function with each one."""
