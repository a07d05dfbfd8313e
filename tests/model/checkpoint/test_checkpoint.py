import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from data.errors import RunError, WriteError
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from tests.model.checkpoint.random_checkpoint import (
    CARD,
    SETTINGS,
    a_checkpoint,
    a_model,
    rewrite_card,
    rows,
)


def test_saved_and_loaded_is_bit_equal(tmp_path: Path) -> None:
    model, backbone = a_model(), nn.BatchNorm2d(3)
    digest = save_checkpoint(tmp_path / "new" / "demo", model, CARD, backbone.state_dict())
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
    other.load_state_dict(dict(loaded.backbone))
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


def test_rows_that_are_not_those_of_the_weights_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, a_model(), CARD, training_rows=rows(0))
    rows(1).write_parquet(tmp_path / "training_rows.parquet")
    with pytest.raises(RunError, match=r"training_rows.parquet: found sha256 .*another checkpoint"):
        load_checkpoint(tmp_path)
    (tmp_path / "training_rows.parquet").unlink()
    with pytest.raises(RunError, match=r"training_rows.parquet: found no such file"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_without_rows_does_not_take_those_of_an_earlier_one(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, a_model(), CARD, training_rows=rows(0))
    save_checkpoint(tmp_path, a_model(2), CARD)
    assert not (tmp_path / "training_rows.parquet").exists()
    rows(0).write_parquet(tmp_path / "training_rows.parquet")
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
    resaved(tmp_path, more)
    with pytest.raises(RunError) as error:
        load_checkpoint(tmp_path)
    assert "1 missing (head.4.bias)" in str(error.value)
    assert "1 not the model's (extra)" in str(error.value)
    assert "(positions (12, 16) for (12, 32))" in str(error.value)
    resaved(tmp_path, tensors | {"head.4.weight": tensors["head.4.weight"].half()})
    with pytest.raises(RunError, match=r"head\.4\.weight torch\.float16 for torch\.float32"):
        load_checkpoint(tmp_path)


def test_settings_of_another_width_do_not_fit(tmp_path: Path) -> None:
    a_checkpoint(tmp_path)
    settings = json.loads((tmp_path / "model.json").read_text())["settings"]
    rewrite_card(tmp_path, settings=settings | {"width": 2**20})
    with pytest.raises(RunError, match=r"embedding\.1\.bias \(32,\) for \(1048576,\)"):
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


def test_no_rows_are_not_saved(tmp_path: Path) -> None:
    """A replay would count every challenge as unseen."""
    before = save_checkpoint(tmp_path, a_model(), CARD, training_rows=rows(0))
    with pytest.raises(RunError, match=r"training rows of checkpoint .*: found no rows; expected"):
        save_checkpoint(tmp_path, a_model(2), CARD, training_rows=rows(0).clear())
    assert load_checkpoint(tmp_path).sha256 == before


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WriteError, match="file: found File exists"):
        save_checkpoint(tmp_path / "file", a_model(), CARD)
    assert (tmp_path / "file").read_text() == "mine"


def test_weights_in_memory_stay_when_their_file_is_replaced(tmp_path: Path) -> None:
    """They are mapped from it."""
    weights = torch.randn(1000)
    save_checkpoint(tmp_path, a_model(), CARD, {"w": weights})
    loaded = load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, loaded.model, CARD, {"w": loaded.backbone["w"] + 1})
    assert torch.equal(loaded.backbone["w"], weights)
    loaded.backbone["w"].zero_()
    assert torch.equal(load_checkpoint(tmp_path).backbone["w"], weights + 1)


def test_others_may_read_a_checkpoint_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    save_checkpoint(tmp_path, a_model(), CARD, training_rows=rows(0))
    assert len({path.stat().st_mode for path in tmp_path.iterdir()}) == 1
