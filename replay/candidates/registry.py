"""The candidates that can be named on the command line, by a name or by a form of name.

This package never imports `model`: what installed packages offer is found by entry points, so that
a worker process finds the same candidates without the command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import RunError
from data.remote_store.named_folder import named_folder
from data.store import Store

if TYPE_CHECKING:  # every command imports this file, and arrays take longer than most commands
    from replay.candidates.predictor import Predictor

ENTRY_POINTS = "streetreplay.candidates"
"""The group of entry points; each names a sequence of `CandidateType` and `CandidateAlias`."""

BUILT_IN_TYPES = (
    "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier) or module:attribute (Python)"
)
"""How candidates are named that need no entry point, for a person."""


@dataclass(frozen=True)
class LoadSettings:
    """How a candidate is to answer.

    `store` may cache what it computes; `metadata` asks that it is given metadata; `batch_size` is
    how many images go through the model at once, of candidates that leave it to the user.
    """

    store: Store | None = None
    metadata: bool = False
    batch_size: int = 1


@dataclass(frozen=True)
class CandidateType:
    """A type of candidates: described for a person, which names are of it, and its loader.

    `matches` must import nothing large. Types are asked in their order.
    """

    description: str
    matches: Callable[[str], bool]
    load: Callable[[str, LoadSettings], "Predictor"]


@dataclass(frozen=True)
class CandidateAlias:
    """Names that stand for other names, which `resolve` gives; all else as a `CandidateType`."""

    description: str
    matches: Callable[[str], bool]
    resolve: Callable[[str, Store | None], str]


@cache
def offered_candidates() -> Sequence[CandidateType | CandidateAlias]:
    """What installed packages offer, in order of the entry points' names.

    Raises:
        RunError: an entry point cannot be loaded.
    """
    offered: list[CandidateType | CandidateAlias] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            offered += point.load()
        except Exception as error:
            raise RunError(
                f"candidates of the entry point {point.name} = {point.value}",
                found=f"{type(error).__name__}: {error}",
                expected="candidates",
                remedy="mend or uninstall that package",
            ) from error
    return offered


def resolved_name(name: str, store: Store | None) -> str:
    """The name by which a machine without this store finds the same candidate.

    Raises:
        RunError: the name stands for nothing in this store.
    """
    for offered in offered_candidates():
        if isinstance(offered, CandidateAlias) and offered.matches(name):
            return offered.resolve(name, store)
    if store is not None and store.url is not None and name.startswith(f"{store.url}/"):
        return str(named_folder(store, Path(name)))
    return name


def name_on_nodes(name: str, store: Store) -> str:
    """The name by which the nodes of a cluster find the same candidate.

    Raises:
        RunError: it lies in a store on a server, of which this machine alone has a copy; or as of
            `resolved_name`.
    """
    resolved = resolved_name(name, store)
    if store.url is not None and str(store.root) in resolved:
        folder = resolved.removeprefix("checkpoint:").partition("#")[0]
        raise RunError(
            f"--on ray --model {name}",
            found=f"a model in the store {store.url}, of which nodes have no copy",
            expected="one under a path that all nodes have",
            remedy=f"copy it there from {folder}, or leave out --on",
        )
    return resolved


def load(name: str, settings: LoadSettings = LoadSettings()) -> "Predictor":
    """Load the candidate of that name: one that a package offers, or one of a built-in type.

    Raises:
        RunError: no candidate has that name, it cannot be loaded, it takes no metadata and was to
            be given some, or it takes no batch size other than 1.
    """
    predictor = _load(resolved_name(name, settings.store), settings)
    if settings.metadata and not predictor.wants_metadata:
        raise RunError(
            "--metadata",
            found=f"{predictor.name}, which looks at the image alone",
            expected="a checkpoint, or your own candidate that wants metadata",
            remedy="leave out --metadata",
        )
    return predictor


def _load(name: str, settings: LoadSettings) -> "Predictor":
    # The built-in types import what they need, torch above all, only when one is named.
    if name.startswith("hf:"):
        from replay.candidates.huggingface import load_hugging_face  # noqa: PLC0415

        return load_hugging_face(name, settings.batch_size)
    if settings.batch_size != 1:
        raise RunError(
            "--batch-size",
            found=f"{name}, which is given all images of a part at once",
            expected="hf:NAME_OR_DIR",
            remedy="leave out --batch-size: a checkpoint sizes its batches to the free memory, and "
            "your own Python its own",
        )
    for offered in offered_candidates():
        if isinstance(offered, CandidateType) and offered.matches(name):
            return offered.load(name, settings)
    if ":" in name:
        from replay.candidates.python_module import load_module_attribute  # noqa: PLC0415

        return load_module_attribute(name)
    types = [*(offered.description for offered in offered_candidates()), BUILT_IN_TYPES]
    raise RunError("--model", found=repr(name), expected=f"one of: {', '.join(types)}")
