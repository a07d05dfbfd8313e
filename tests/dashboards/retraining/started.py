"""How the retraining that a page started stands."""

import time
from collections.abc import Callable

from data.background.process import State
from data.store import Store
from model.retraining.background import last_retraining


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.02)


def state(store: Store) -> State:
    last = last_retraining(store)
    assert last is not None
    return last.process.state
