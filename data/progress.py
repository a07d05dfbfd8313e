"""Interface for progress reports of long work."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], Any]]]
"""From a label and a total to a context of a function that takes the number of units done.

`data.terminal.progress` is one.
"""


def silent(_label: str, _total: int) -> AbstractContextManager[Callable[[int], Any]]:
    """Progress reports that are ignored."""
    return nullcontext(lambda _done: None)


def no_report(*_counts: object) -> None:
    """Ignore a count, for work that calls a function with each one."""
