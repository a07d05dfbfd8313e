"""The state of a training, from which it is resumed: one file of tensors, numbers and text.

`torch.save` writes the file and `torch.load(weights_only=True)` reads it, so nothing in it can run
code. That load does not compare the checksums which the file has (PyTorch builds its reader without
them): here they are, since a flipped bit would else end in other weights.
"""

import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import torch

from data.atomic_files import atomic_file, remove_left_over
from data.errors import RunError

_FORMAT = "streetreplay-training-state"
# Raised when older code would resume wrongly from a new file, or the other way round.
_VERSION = 1
# What a load with `weights_only=True` gives back; their subclasses it refuses (`numpy.float64` is
# a `float`).
_PLAIN = (int, float, bool, str, NoneType)
_CONTAINERS = (dict, OrderedDict, list, tuple)
_ANEW = "delete it to begin the training anew"


def save_state(path: Path, run_id: str, state: Mapping[str, Any]) -> None:
    """Write the state of a training, whole or not at all, and wait until it is on disk.

    Only one process may write the file: what a killed one left of it is removed.

    Args:
        path: of the file; its folder exists.
        run_id: of the training.
        state: tensors, int, float, bool, str and None, in dicts, lists and tuples of any depth. A
            tensor is stored with all of the memory that it is a view of.

    Raises:
        TypeError: a value of another type, named by its keys; nothing is written.
        WriteError: the file cannot be written; an earlier one is as it was.
    """
    for wrong in _not_storable(state, "state"):
        raise TypeError(f"{wrong}; expected tensors, numbers and text")
    written = {"format": _FORMAT, "version": _VERSION, "run_id": run_id, "state": dict(state)}
    remove_left_over(path)
    # Through a stream of Python's: only then is the system's own error known.
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        try:
            torch.save(written, stream)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_state(path: Path, run_id: str) -> dict[str, Any] | None:
    """The state that was saved, its tensors on the CPU; None where there is no file.

    Args:
        path: of the file.
        run_id: of the training that is to go on.

    Raises:
        RunError: the file is damaged, cut short, of another form, or of another training.
    """
    if not path.exists():
        return None
    written = _read(path)
    form = (written.get("format"), written.get("version")) if isinstance(written, dict) else None
    if form != (_FORMAT, _VERSION):
        raise RunError(
            f"training state {path}",
            found=f"format and version {form}",
            expected=f"{(_FORMAT, _VERSION)}",
            remedy=f"{_ANEW}, or use the version of StreetReplay that wrote it",
        )
    if written.get("run_id") != run_id:
        raise RunError(
            f"training state {path}",
            found=f"that of run {written.get('run_id')}",
            expected=f"that of run {run_id}: the same rows and settings",
            remedy=_ANEW,
        )
    state = written.get("state")
    if not isinstance(state, dict):
        raise RunError(f"training state {path}", found="no state", expected="one", remedy=_ANEW)
    return state


def _read(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as records:
            damaged = records.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"another checksum of {damaged}")
        return torch.load(path, map_location="cpu", weights_only=True)
    # An unpickler may trip over anything in a file of another program.
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise RunError(
            f"training state {path}",
            found=words,
            expected="a whole file that a training wrote",
            remedy=_ANEW,
        ) from error


def _not_storable(value: Any, name: str) -> Iterator[str]:
    """Where a value, named by its keys, holds what a load would refuse."""
    if isinstance(value, torch.Tensor) or type(value) in _PLAIN:
        return
    if isinstance(value, Mapping) and (type(value) in _CONTAINERS or name == "state"):
        for key, inner in value.items():
            if type(key) not in _PLAIN:
                yield f"a key of {name} is a {_type_name(key)}"
            yield from _not_storable(inner, f"{name}[{key!r}]")
    elif type(value) in _CONTAINERS:
        for index, inner in enumerate(value):
            yield from _not_storable(inner, f"{name}[{index}]")
    else:
        yield f"{name} is a {_type_name(value)}"


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
