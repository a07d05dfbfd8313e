"""Puts a copy of a checkpoint into another folder, whole or not at all."""

import shutil
from functools import partial
from pathlib import Path

from data.atomic_files import make_folder
from model.checkpoint.card import CARD, committed_digests, read_card_and_digests
from model.checkpoint.committed_files import (
    Write,
    commit,
    committed_file,
    discard,
    finish_interrupted_save,
)
from replay.candidates.predictor import TRAINING_ROWS


def copy_checkpoint(source: Path, target: Path) -> None:
    """Copy the checkpoint in a folder, replacing the one in another; other files there stay.

    A mark in `target` that a training into it is not done stays as well.

    Args:
        source: folder of a whole checkpoint.
        target: made if it does not exist.

    Raises:
        RunError: there is no whole checkpoint in `source`.
        WriteError: `target` cannot be written; it holds what it held before.
    """
    _, digests = read_card_and_digests(source)
    card = (source / CARD).read_bytes()
    files: dict[str, Write] = {
        name: partial(shutil.copyfile, committed_file(source, name, digest))
        for name, digest in digests.items()
    }
    make_folder(target)
    finish_interrupted_save(target, committed_digests(target))
    # the copies have the hashes that the card names: they were checked as they were found
    commit(target, target / CARD, lambda _: card, files)
    if TRAINING_ROWS not in files:
        discard(target, TRAINING_ROWS)
