"""How the retraining that a page started stands."""

from data.background.process import State
from data.store import Store
from model.retraining.background import last_retraining


def state(store: Store) -> State:
    last = last_retraining(store)
    assert last is not None
    return last.process.state
