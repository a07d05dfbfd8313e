"""Saving and loading a checkpoint: its weights, its card and the rows it was trained on.

The files are `model.safetensors`, `model.json` (the card) and, after a training,
`training_rows.parquet`. Nothing is ever unpickled. The card names the hash of each other file, so
that weights never stand beside rows of another training; see `committed_files.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import torch

from data.atomic_files import make_folder
from data.errors import RunError
from model.backbone.weights import check_fit
from model.checkpoint.card import (
    CARD,
    WEIGHTS,
    ModelCard,
    card_content,
    committed_digests,
    read_card_and_digests,
)
from model.checkpoint.committed_files import (
    Write,
    commit,
    committed_file,
    discard,
    finish_interrupted_save,
)
from model.checkpoint.unfinished import check_finished
from model.checkpoint.weights_file import map_weights, write_weights
from model.network.street_model import StreetModel
from replay.candidates.predictor import TRAINING_ROWS

_BACKBONE = "backbone."


class RowTable(Protocol):
    """A table of rows, such as a polars DataFrame; polars itself is not needed to load a model."""

    @property
    def height(self) -> int:
        """The number of rows."""

    def write_parquet(self, file: BytesIO) -> Any:
        """Write the rows as a Parquet file."""


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the model in evaluation mode, its card, and the hash of its weights.

    `backbone` holds what was trained of the backbone, mapped from the file (`map_weights`); nothing
    where it was frozen. `training_rows` is the file of the rows that the weights
    were trained on; None where the card names none.
    """

    model: StreetModel
    card: ModelCard
    sha256: str
    backbone: Mapping[str, torch.Tensor]
    training_rows: Path | None = None


def save_checkpoint(
    folder: Path,
    model: StreetModel,
    card: ModelCard,
    backbone: Mapping[str, torch.Tensor] | None = None,
    training_rows: RowTable | None = None,
) -> str:
    """Write a checkpoint whole or not at all; files of other names in the folder stay.

    A mark that a training into the folder is not done stays as well (`unfinished.py`).

    Args:
        folder: made if it does not exist; a checkpoint in it is replaced.
        model: its weights are stored as they are, bit by bit.
        card: what is stored beside them.
        backbone: what was trained of the backbone (`Backbone.trained_tensors`), by name; nothing or
            None for a frozen one.
        training_rows: the rows that the weights were trained on; None saves none, and removes those
            of an earlier checkpoint.

    Returns:
        The hash of the weights' file.

    Raises:
        RunError: the card is of other settings than the model, or there are no rows.
        WriteError: the folder cannot be written; it holds what it held before.
    """
    if card.settings != model.settings:
        raise RunError("settings of the card", found=card.settings, expected=f"{model.settings}")
    if training_rows is not None and not training_rows.height:
        # as if trained on nothing: every challenge would count as unseen
        raise RunError(
            f"training rows of checkpoint {folder}",
            found="no rows",
            expected="at least one that the model was trained on",
        )
    own = {_BACKBONE + name: tensor for name, tensor in (backbone or {}).items()}
    files: dict[str, Write] = {WEIGHTS: partial(write_weights, model.state_dict() | own)}
    if training_rows is not None:
        files = {TRAINING_ROWS: partial(_write_rows, training_rows)} | files
    make_folder(folder)
    finish_interrupted_save(folder, committed_digests(folder))
    digests = commit(folder, folder / CARD, partial(card_content, card), files)
    if training_rows is None:
        discard(folder, TRAINING_ROWS)
    return digests[WEIGHTS]


def _write_rows(rows: RowTable, file: Path) -> None:
    # polars itself would report a full disk in words of its own
    content = BytesIO()
    rows.write_parquet(content)
    file.write_bytes(content.getbuffer())


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, bit by bit what was saved, on the CPU.

    Raises:
        RunError: no checkpoint, a pickled one, damaged or cut short, of another format, weights
            that do not fit the settings beside them, or rows that are not those of the weights; or
            a training into this folder is not done.
    """
    check_finished(folder, earlier=(folder / CARD).is_file())
    card, digests = read_card_and_digests(folder)
    tensors = map_weights(committed_file(folder, WEIGHTS, digests[WEIGHTS]))
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(_BACKBONE)}
    # On `meta` nothing is allocated or initialised until the file is known to fit.
    with torch.device("meta"):
        model = StreetModel(card.settings)
    check_fit(own, model.state_dict(), str(folder / WEIGHTS))
    model.to_empty(device="cpu").load_state_dict(own)
    backbone = {
        name.removeprefix(_BACKBONE): tensor
        for name, tensor in tensors.items()
        if name.startswith(_BACKBONE)
    }
    rows = digests.get(TRAINING_ROWS)
    return Checkpoint(
        model=model.eval(),
        card=card,
        sha256=digests[WEIGHTS],
        backbone=backbone,
        training_rows=None if rows is None else committed_file(folder, TRAINING_ROWS, rows),
    )
