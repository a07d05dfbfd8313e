"""The candidates that can be named on the command line: by a name, or by a type of name.

This package never imports `model`: `streetreplay.py` registers its loaders here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import RunError
from data.store import Store

if TYPE_CHECKING:  # every command imports this file, and arrays take longer than most commands
    from replay.candidates.predictor import Predictor

Loader = Callable[[], "Predictor"]

BUILT_IN_TYPES = (
    "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier) or module:attribute (Python)"
)
"""How candidates are named that need no registration, for a person."""


@dataclass(frozen=True)
class LoadSettings:
    """`store` may cache what a candidate computes; `metadata` asks that it is given metadata."""

    store: Store | None = None
    metadata: bool = False


@dataclass(frozen=True)
class CandidateType:
    """A type of candidates: described for a person, which names are of it, and its loader."""

    description: str
    matches: Callable[[str], bool]
    load: Callable[[str, LoadSettings], "Predictor"]


_loaders: dict[str, Loader] = {}
_types: list[CandidateType] = []


def register(loaders: Mapping[str, Loader]) -> None:
    """Register candidates by name; a loader imports what it needs only when called."""
    _loaders.update(loaders)


def register_type(candidate_type: CandidateType) -> None:
    """Register a type of candidates; its `matches` must import nothing large."""
    _types.append(candidate_type)


def load(name: str, settings: LoadSettings = LoadSettings()) -> "Predictor":
    """Load the candidate of that name: a registered one, or one of a built-in type.

    Raises:
        RunError: no candidate has that name, it cannot be loaded, or it takes no metadata and was
            to be given some.
    """
    predictor = _load(name, settings)
    if settings.metadata and not predictor.wants_metadata:
        raise RunError(
            "--metadata",
            found=f"{predictor.name}, which looks at the image alone",
            expected="a checkpoint, or your own candidate that wants metadata",
            remedy="leave out --metadata",
        )
    return predictor


def _load(name: str, settings: LoadSettings) -> "Predictor":
    if name in _loaders:
        return _loaders[name]()
    # Both import what they need, torch above all, only when such a candidate is named.
    if name.startswith("hf:"):
        from replay.candidates.huggingface import load_hugging_face  # noqa: PLC0415

        return load_hugging_face(name)
    for candidate_type in _types:
        if candidate_type.matches(name):
            return candidate_type.load(name, settings)
    if ":" in name:
        from replay.candidates.python_module import load_module_attribute  # noqa: PLC0415

        return load_module_attribute(name)
    known = ", ".join(sorted(_loaders))
    types = ", ".join([*(registered.description for registered in _types), BUILT_IN_TYPES])
    raise RunError("--model", found=repr(name), expected=f"one of: {known}; or {types}")
