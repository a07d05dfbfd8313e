import json
from pathlib import Path

import pytest
import torch

from data.errors import RunError, WriteError
from model.checkpoint.card import read_card
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.predictor import load_predictor
from model.checkpoint.unfinished import mark_finished, mark_unfinished, unfinished_run
from tests.model.checkpoint.random_checkpoint import CARD, a_checkpoint, a_model

AGAIN = "expected a finished one; start the same training again: it goes on where it was"


def test_an_unfinished_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "new" / "mine"
    assert unfinished_run(out) is None
    mark_unfinished(out, "train-1", "epoch 3 of 30")
    for read in (load_checkpoint, read_card, load_predictor):
        with pytest.raises(RunError) as error:
            read(out)
        assert str(error.value) == (
            f"checkpoint {out}: found an unfinished training (run train-1, epoch 3 of 30); {AGAIN}"
        )
    assert unfinished_run(out) == "train-1"
    mark_unfinished(out, "train-1", "")
    with pytest.raises(RunError, match=r"\(run train-1\)"):
        read_card(out)


def test_a_training_that_ends_replaces_the_earlier_checkpoint(tmp_path: Path) -> None:
    a_checkpoint(tmp_path)
    mark_unfinished(tmp_path, "train-2", "")
    save_checkpoint(tmp_path, a_model(2), CARD)
    with pytest.raises(RunError, match="run train-2"):
        load_checkpoint(tmp_path)

    mark_finished(tmp_path)
    mark_finished(tmp_path)

    assert unfinished_run(tmp_path) is None
    assert torch.equal(load_checkpoint(tmp_path).model.positions, a_model(2).positions)
    assert not (tmp_path / "unfinished.json").exists()


def test_the_earlier_checkpoint_comes_back_when_the_mark_is_deleted(tmp_path: Path) -> None:
    digest = load_checkpoint(a_checkpoint(tmp_path)).sha256
    mark_unfinished(tmp_path, "train-2", "")
    with pytest.raises(
        RunError, match=r"earlier checkpoint is still there: delete unfinished\.json to have it"
    ):
        load_checkpoint(tmp_path)

    (tmp_path / "unfinished.json").unlink()

    assert load_checkpoint(tmp_path).sha256 == digest


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"[" * 100_000, b"\xff", b'{"run_id": '])
def test_a_damaged_mark_still_marks(tmp_path: Path, content: bytes) -> None:
    a_checkpoint(tmp_path)
    (tmp_path / "unfinished.json").write_bytes(content)
    assert unfinished_run(tmp_path) == "unknown"
    with pytest.raises(RunError, match=r"run unknown\); "):
        read_card(tmp_path)


def test_an_error_stays_one_line(tmp_path: Path) -> None:
    mark = {"run_id": "a\nb", "note": "c\r\nd"}
    (tmp_path / "unfinished.json").write_text(json.dumps(mark))
    with pytest.raises(RunError, match=r"\(run a b, c d\)"):
        read_card(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert unfinished_run(tmp_path / "file") is None
    with pytest.raises(WriteError, match="file: found "):
        mark_unfinished(tmp_path / "file", "train-1", "")
