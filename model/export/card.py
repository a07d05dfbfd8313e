"""An export's card, `export.json`: what was exported, on what it rests, and each file's hash."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from data.digests import file_digest
from data.errors import RunError
from data.versioned_json import read_versioned_json
from model.export.command_line_name import CARD
from model.export.detector import CONFIG
from replay.candidates.predictor import TRAINING_ROWS

NETWORK = "streetreplay.onnx"
DETECTOR = "streetreplay_detector.py"
README = "README.md"

_FORMAT = "streetreplay-export"
_VERSION = 1
# A folder without one of these answers otherwise than what was scored, or not at all.
_NEEDED = (NETWORK, DETECTOR, CONFIG)


@dataclass(frozen=True)
class ExportCard:
    """What an export is, of JSON's own types.

    `files` has the SHA-256 of each file but this card and the README, which a person may edit.
    `checkpoint` says which one it was made of and how that was trained, `threshold` which shift of
    the logit is in it and what it rests on, `agreement` how far its answers are from the
    checkpoint's, `comparison` what `compare` says of the run that the threshold is from.
    """

    files: Mapping[str, str]
    checkpoint: Mapping[str, Any]
    network: Mapping[str, Any]
    threshold: Mapping[str, Any]
    agreement: Mapping[str, Any]
    latency: Mapping[str, Any]
    comparison: Mapping[str, Any] | None = field(default=None)


def card_content(card: ExportCard) -> bytes:
    """The card as the bytes of its file."""
    written = {"format": _FORMAT, "version": _VERSION, **asdict(card)}
    return (json.dumps(written, indent=1, allow_nan=False) + "\n").encode()


def read_card(folder: Path) -> ExportCard:
    """The card in an export's folder; the other files are not opened.

    Raises:
        RunError: no card, or one that is damaged, of another format or without a part.
    """
    path = folder / CARD
    if not path.is_file():
        problem = f"no {CARD}" if folder.is_dir() else "no such folder"
        raise RunError(
            f"export {folder}", found=problem, expected="a folder that `streetreplay export` wrote"
        )
    written = read_versioned_json(
        path,
        (_FORMAT, _VERSION),
        remedy="export again, or use the version of StreetReplay that wrote it",
    )
    parts: dict[str, Any] = {part.name: written.get(part.name) for part in fields(ExportCard)}
    for name, value in parts.items():
        if not isinstance(value, dict) and not (name == "comparison" and value is None):
            raise RunError(f"{name} in {path}", found=repr(value)[:40], expected="an object")
    card = ExportCard(**parts)
    _check_names(card.files, path)
    return card


def check_files(folder: Path, card: ExportCard) -> None:
    """Refuse an export whose files are not those that its card names.

    Raises:
        RunError: which one is missing or altered.
    """
    for name, digest in card.files.items():
        present = file_digest(folder / name)
        if present != digest:
            raise RunError(
                str(folder / name),
                found=f"sha256 {present}" if present else "no such file",
                expected=f"sha256 {digest}, as {CARD} says",
                remedy="the file was altered since it was scored: export again",
            )


def _check_names(files: Mapping[str, Any], path: Path) -> None:
    known = {*_NEEDED, TRAINING_ROWS}
    if not set(_NEEDED) <= set(files) <= known:
        raise RunError(
            f"files in {path}", found=sorted(files), expected=f"{', '.join(sorted(known))}"
        )
