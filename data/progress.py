"""The interface by which long work reports progress, whoever shows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], Any]]]
"""From a label and a total to a context of a function that takes the number of units done.

`data.terminal.progress` is one.
"""


def silent(_label: str, _total: int) -> AbstractContextManager[Callable[[int], Any]]:
    """Progress that nobody is shown."""
    return nullcontext(lambda _done: None)
