import hashlib
import json
import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from data.errors import RunError, WriteError
from model.checkpoint.checkpoint import load_checkpoint, restore, save_checkpoint
from tests.model.checkpoint.random_checkpoint import (
    CARD,
    SETTINGS,
    a_checkpoint,
    a_model,
    rewrite_card,
)
from tests.worlds.full_disk import fill, small_disk


def test_saved_and_loaded_is_bit_equal(tmp_path: Path) -> None:
    model, backbone = a_model(), nn.BatchNorm2d(3)
    digest = save_checkpoint(tmp_path / "new" / "demo", model, CARD, backbone)
    loaded = load_checkpoint(tmp_path / "new" / "demo")
    assert loaded.card == CARD
    assert loaded.sha256 == digest
    assert not loaded.model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)
    x = torch.randn(2, 12, 8)
    with torch.no_grad():
        first, second = model.eval()(x), loaded.model(x)
    assert torch.equal(first.logits, second.logits)
    assert torch.equal(first.gates, second.gates)
    assert all(parameter.requires_grad for parameter in loaded.model.parameters())
    other = nn.BatchNorm2d(3)
    nn.init.normal_(other.weight)
    restore(other, loaded.backbone, "the backbone")
    assert torch.equal(other.weight, backbone.weight)
    assert sorted(p.name for p in (tmp_path / "new" / "demo").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    save_checkpoint(a_checkpoint(tmp_path), a_model(2), CARD)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert torch.equal(load_checkpoint(tmp_path).model.positions, a_model(2).positions)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_save_that_is_cut_off_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Killed before the new weights are there, before the card, and before they get their name."""
    a_checkpoint(tmp_path)
    left = [writes]
    real = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, a_model(2), CARD)
    expected = a_model(2 if writes == 2 else 1)
    assert torch.equal(load_checkpoint(tmp_path).model.positions, expected.positions)
    # the next save is cut off too: what was committed must still be there
    left[0] = 1 + (writes == 2)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, a_model(3), CARD)
    assert torch.equal(load_checkpoint(tmp_path).model.positions, expected.positions)
    save_checkpoint(tmp_path, a_model(3), CARD)
    assert torch.equal(load_checkpoint(tmp_path).model.positions, a_model(3).positions)
    assert not (tmp_path / "model.safetensors.new").exists()


ROWS = [b"rows of the first", b"rows of the second", b"rows of the third"]


@pytest.mark.parametrize("writes", range(6))
def test_a_save_that_is_cut_off_never_pairs_weights_with_other_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    save_checkpoint(tmp_path, a_model(0), CARD, training_rows=ROWS[0])
    left = [writes]
    real = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, target)

    for number in (1, 2):
        left[0] = writes
        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
            patched.setattr(Path, "replace", killed)
            save_checkpoint(tmp_path, a_model(number), CARD, training_rows=ROWS[number])
        loaded = load_checkpoint(tmp_path)
        assert loaded.training_rows is not None
        kept = ROWS.index(loaded.training_rows.read_bytes())
        assert torch.equal(loaded.model.positions, a_model(kept).positions)
        assert kept <= number
        if number == 1:
            assert kept == (1 if writes > 2 else 0)
    save_checkpoint(tmp_path, a_model(2), CARD, training_rows=ROWS[2])
    loaded = load_checkpoint(tmp_path)
    assert torch.equal(loaded.model.positions, a_model(2).positions)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.json",
        "model.safetensors",
        "training_rows.parquet",
    ]


def test_rows_that_are_not_those_of_the_weights_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, a_model(), CARD, training_rows=ROWS[0])
    (tmp_path / "training_rows.parquet").write_bytes(ROWS[1])
    with pytest.raises(RunError, match=r"training_rows.parquet: found sha256 .*another checkpoint"):
        load_checkpoint(tmp_path)
    (tmp_path / "training_rows.parquet").unlink()
    with pytest.raises(RunError, match=r"training_rows.parquet: found no such file"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_without_rows_does_not_take_those_of_an_earlier_one(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, a_model(), CARD, training_rows=ROWS[0])
    save_checkpoint(tmp_path, a_model(2), CARD)
    assert not (tmp_path / "training_rows.parquet").exists()
    (tmp_path / "training_rows.parquet").write_bytes(ROWS[0])
    assert load_checkpoint(tmp_path).training_rows is None


@pytest.mark.parametrize("cut", [0, 7, 5000, -1])
def test_a_file_that_is_cut_short_is_named(tmp_path: Path, cut: int) -> None:
    weights = a_checkpoint(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    expected = json.loads((tmp_path / "model.json").read_text())["sha256"]
    with pytest.raises(
        RunError, match=f"model.safetensors: found sha256 .* expected sha256 {expected}"
    ):
        load_checkpoint(tmp_path)


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    weights = a_checkpoint(tmp_path) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(tmp_path)


def test_safetensors_that_are_none_are_refused_even_with_their_hash(tmp_path: Path) -> None:
    a_checkpoint(tmp_path)
    content = b"not safetensors at all"
    (tmp_path / "model.safetensors").write_bytes(content)
    rewrite_card(tmp_path, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(RunError, match="expected safetensors"):
        load_checkpoint(tmp_path)


def resaved(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    rewrite_card(folder, sha256=digest)


def test_weights_of_another_model_name_both_sides(tmp_path: Path) -> None:
    tensors = load_file(a_checkpoint(tmp_path) / "model.safetensors")
    more = tensors | {"extra": torch.zeros(1), "positions": torch.zeros(12, 16)}
    del more["head.4.bias"]
    more["head.4.weight"] = more["head.4.weight"].half()
    resaved(tmp_path, more)
    with pytest.raises(RunError) as error:
        load_checkpoint(tmp_path)
    assert "missing: head.4.bias" in str(error.value)
    assert "left over: extra" in str(error.value)
    assert "positions (12, 16) float32 for (12, 32) float32" in str(error.value)
    assert "head.4.weight (2, 32) float16 for (2, 32) float32" in str(error.value)


def test_settings_of_another_width_do_not_fit(tmp_path: Path) -> None:
    a_checkpoint(tmp_path)
    settings = json.loads((tmp_path / "model.json").read_text())["settings"]
    rewrite_card(tmp_path, settings=settings | {"width": 2**20})
    with pytest.raises(RunError, match=r"positions \(12, 32\) float32 for \(12, 1048576\) float32"):
        load_checkpoint(tmp_path)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("unpickled",))


def test_a_pickled_model_is_refused_and_never_opened(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(pickle.dumps(Bomb()))
    for place in (tmp_path, file):
        with pytest.raises(RunError, match=r"found model.pt; .*never opened"):
            load_checkpoint(place)
    a_checkpoint(tmp_path / "real")
    (tmp_path / "real" / "model.safetensors").write_bytes(file.read_bytes())
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(tmp_path / "real")


def test_a_missing_checkpoint_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"no such folder; expected model\.json and model\.safetensors"
    ):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"found no model.json"):
        load_checkpoint(tmp_path)


def test_a_card_of_other_settings_is_not_saved(tmp_path: Path) -> None:
    card = replace(CARD, settings=replace(SETTINGS, seed=9))
    with pytest.raises(RunError, match="settings of the card"):
        save_checkpoint(tmp_path, a_model(), card)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        before = load_checkpoint(a_checkpoint(disk)).sha256
        fill(disk, leave=20_000)
        with pytest.raises(WriteError, match=r"model\.safetensors\.new: found No space left"):
            save_checkpoint(disk, a_model(2), CARD)
        assert load_checkpoint(disk).sha256 == before
        (disk / "ballast").unlink()
        assert save_checkpoint(disk, a_model(2), CARD) == load_checkpoint(disk).sha256 != before
