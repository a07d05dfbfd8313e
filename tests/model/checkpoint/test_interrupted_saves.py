"""Whenever a save ends, a folder holds one whole checkpoint: its weights, its rows and its card."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from data.errors import WriteError
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from tests.model.checkpoint.random_checkpoint import CARD, a_model, rows
from tests.worlds.full_disk import fill, small_disk

CHANGES = ((Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "touch"), (Path, "chmod"))
CHANGES += ((os, "fsync"), (shutil, "rmtree"))  # type: ignore[assignment]
FILES = ["model.json", "model.safetensors", "training_rows.parquet"]


def save(folder: Path, number: int) -> None:
    """Save the model of this number with rows of the same number."""
    save_checkpoint(folder, a_model(number), CARD, training_rows=rows(number))


def saved(folder: Path, most: int = 9) -> int:
    """The number of the checkpoint in a folder; weights and rows must be of one save."""
    loaded = load_checkpoint(folder)
    assert loaded.training_rows is not None
    number: int = pl.read_parquet(loaded.training_rows)["row"][0]
    assert number <= most
    assert torch.equal(loaded.model.positions, a_model(number).positions)
    return number


def breaking(
    monkeypatch: pytest.MonkeyPatch, calls: int, error: BaseException, *, stays: bool
) -> list[str]:
    """Let a save do so many changes to the disk, then fail: at that one, or at all that follow.

    Returns:
        The changes, which grow as they are done.
    """
    done: list[str] = []

    def broken(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **options: Any) -> Any:
            done.append(name)
            if len(done) == calls + 1 or (stays and len(done) > calls):
                raise error
            return real(*args, **options)

        return change

    # rmtree is told to ignore the system's errors
    for owner, name in CHANGES if stays else CHANGES[:-1]:
        monkeypatch.setattr(owner, name, broken(name, getattr(owner, name)))
    return done


def test_a_save_killed_at_any_change_leaves_one_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tidied up after a kill; the save that follows is killed there too."""
    outcomes, calls, changes = [], 0, calls_of_a_save(tmp_path / "whole", monkeypatch)
    for calls in range(len(changes)):
        folder = tmp_path / str(calls)
        save(folder, 0)
        for number in (1, 2):
            with monkeypatch.context() as patched:
                breaking(patched, calls, KeyboardInterrupt(), stays=True)
                with suppress(KeyboardInterrupt):
                    save(folder, number)
            kept = saved(folder, most=number)
            outcomes += [kept] if number == 1 else []
        save(folder, 3)
        assert saved(folder) == 3
        assert sorted(path.name for path in folder.iterdir()) == FILES
    # old until the card is replaced, new from then on
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {0, 1}


def test_an_error_at_any_change_is_told_or_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    told = 0
    for calls in range(len(calls_of_a_save(folder, monkeypatch))):
        save(folder, 0)
        error = OSError(errno.EIO, os.strerror(errno.EIO))
        with monkeypatch.context() as patched:
            breaking(patched, calls, error, stays=False)
            try:
                save(folder, 1)
            except WriteError as wrong:
                told += 1
                message = str(wrong)
            else:
                message = ""
        assert saved(folder) in ((0, 1) if message else (1,))
        assert not message or "Input/output error" in message
    assert told > 5


def calls_of_a_save(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The changes of a save over an earlier one."""
    save(folder, 0)
    with monkeypatch.context() as patched:
        changes = breaking(patched, 1000, KeyboardInterrupt(), stays=True)
        save(folder, 1)
    assert {"replace", "fsync", "chmod", "rmtree"} <= set(changes)
    return changes


def test_what_killed_saves_left_is_removed(tmp_path: Path) -> None:
    save(tmp_path, 0)
    (tmp_path / ".new").mkdir()
    (tmp_path / ".new" / ".tmpX1Y2Z3").write_bytes(b"half of the weights")
    (tmp_path / ".new" / "model.safetensors").write_bytes(b"half of the weights")
    assert saved(tmp_path) == 0
    save(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


@pytest.mark.parametrize("leave", [4_000, 20_000, 65_000])
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path, leave: int) -> None:
    """Full at the rows, within the weights, and at the card."""
    with small_disk(tmp_path / "disk", 1024) as disk:
        save(disk, 0)
        fill(disk, leave=leave)
        with pytest.raises(WriteError, match=r": found No space left on device; .*free some space"):
            save(disk, 1)
        assert saved(disk) == 0
        assert sorted(path.name for path in disk.iterdir()) == ["ballast", *FILES]
        (disk / "ballast").unlink()
        save(disk, 1)
        assert saved(disk) == 1
