"""Dataclasses kept as JSON files that can be lost: what is damaged is as if it were not there."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from data.atomic_files import make_folder, write_atomic
from data.errors import WriteError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value")


def read_kept(file: Path, kind: type[Value]) -> Value | None:
    """The value of a dataclass that a file holds; None without one, or where it is damaged."""
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def keep(file: Path, value: "DataclassInstance") -> None:
    """Write a dataclass whole, in place of an older one; nothing where only reading is allowed."""
    with suppress(WriteError):
        make_folder(file.parent)
        write_atomic(file, json.dumps(asdict(value), default=str).encode())
