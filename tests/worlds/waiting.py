"""Waiting for another process."""

import time
from collections.abc import Callable

_WITHIN = 300


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it is so; a test that would wait for ever fails."""
    end = time.monotonic() + _WITHIN
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.02)
