"""Say that nothing comes from the service: its client waits and asks again without a word.

It tries for many minutes where the service answers that it is out of order (5xx), and waits as long
as it is told where it asked too often.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from data.wandb_service.errors import RESUME

Item = TypeVar("Item")

_FIRST_SECONDS = 15.0
_POLLS = 10
"""How many times as often it is looked how long nothing came."""


@contextmanager
def telling_of_silence(
    what: object, say: Callable[[str], object]
) -> Iterator[Callable[[], object]]:
    """While the block runs, say so where nothing came for a while, and again after twice as long.

    Args:
        what: an address.
        say: is called in another thread, with a line.

    Yields:
        What to call whenever something came.
    """
    ended = threading.Event()
    came = time.monotonic()
    told = 0.0

    def something_came() -> None:
        nonlocal came, told
        came, told = time.monotonic(), 0.0

    def watch() -> None:
        nonlocal told
        while not ended.wait(_FIRST_SECONDS / _POLLS):
            silent = time.monotonic() - came
            if silent >= max(_FIRST_SECONDS, 2 * told):
                told = silent
                say(
                    f"{what}: nothing came from the service for {silent:.0f} s; asking again and "
                    f"again, as it may be out of order or busy; to stop, Ctrl-C: later, {RESUME}"
                )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield something_came
    finally:
        ended.set()
        watcher.join()


def each_noted(items: Iterable[Item], something_came: Callable[[], object]) -> Iterator[Item]:
    """The items, noting that each one came."""
    for item in items:
        something_came()
        yield item
