"""How long work is followed, by whoever shows it: a bar, lines, or nobody."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], Any]]]
"""A label and a total to a context that takes what is done, such as `data.terminal.progress`."""


def silent(_label: str, _total: int) -> AbstractContextManager[Callable[[int], Any]]:
    """No progress is shown."""
    return nullcontext(lambda _done: None)
