"""Which candidates can be named on the command line.

This package never imports `model`: `streetreplay.py` hands its loaders over here.
"""

from collections.abc import Callable, Mapping

from data.errors import RunError
from replay.predictor import Predictor

Loader = Callable[[], Predictor]

_loaders: dict[str, Loader] = {}


def offer(loaders: Mapping[str, Loader]) -> None:
    """Make candidates known by name; a loader imports what it needs only when called."""
    _loaders.update(loaders)


def load(name: str) -> Predictor:
    """The candidate of that name.

    Raises:
        RunError: no candidate has that name.
    """
    if name not in _loaders:
        known = ", ".join(sorted(_loaders))
        raise RunError("--model", found=repr(name), expected=f"one of: {known}")
    return _loaders[name]()
