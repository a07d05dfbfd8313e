"""Which candidates can be named on the command line.

This package never imports `model`: `streetreplay.py` hands its loaders over here.
"""

from collections.abc import Callable, Mapping

from data.errors import RunError
from replay.predictor import Predictor

Loader = Callable[[], Predictor]

FORMS = "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier) or module:attribute (Python)"
"""How candidates are named that nobody offered."""

_loaders: dict[str, Loader] = {}


def offer(loaders: Mapping[str, Loader]) -> None:
    """Make candidates known by name; a loader imports what it needs only when called."""
    _loaders.update(loaders)


def load(name: str) -> Predictor:
    """The candidate of that name: an offered one, `hf:NAME_OR_DIR[#LABEL]` or `module:attribute`.

    Raises:
        RunError: no candidate has that name, or it cannot be loaded.
    """
    if name in _loaders:
        return _loaders[name]()
    # Both import what they need, torch above all, only when such a candidate is named.
    if name.startswith("hf:"):
        from replay.hf_model import load_hugging_face  # noqa: PLC0415

        return load_hugging_face(name)
    if ":" in name:
        from replay.module_model import load_module_attribute  # noqa: PLC0415

        return load_module_attribute(name)
    known = ", ".join(sorted(_loaders))
    raise RunError("--model", found=repr(name), expected=f"one of: {known}; or {FORMS}")
