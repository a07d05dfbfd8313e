import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from data.errors import RunError
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import RANDOM, AdapterSettings, BackboneSettings
from model.checkpoint.backbone_in_card import backbone_of, card_of
from model.checkpoint.card import read_card
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.predictor import load_predictor
from model.network.street_model import StreetModel
from tests.model.checkpoint.checkpoint_on_vit import (
    BACKBONE,
    SETTINGS,
    a_model,
    answers_part_by_part,
    assert_same_answers,
    image_batch,
    image_keys_of,
)


def test_a_card_that_names_a_huge_backbone_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = moved("all")
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, trained), trained.trained_tensors())
    path = tmp_path / "model.json"
    written = json.loads(path.read_text()) | {"backbone": "vit_7b_patch16_dinov3"}
    path.write_text(json.dumps(written))
    monkeypatch.setattr("model.checkpoint.backbone_in_card.load_backbone", None)
    with pytest.raises(RunError, match=r"weights of vit_7b_patch16_dinov3 in .*another shape"):
        load_predictor(tmp_path)


TRAINED: dict[str, dict[str, Any]] = {
    "all": {"trained": "all"},
    "last": {"trained": "last", "last_blocks": 1},
    "lora": {"trained": "adapters", "adapter": AdapterSettings(rank=2)},
    "dora": {"trained": "adapters", "adapter": AdapterSettings("dora", 3, alpha=5.0)},
    "explora": {
        "trained": "adapters",
        "last_blocks": 1,
        "adapter": AdapterSettings("explora", 2),
    },
}


def moved(name: str) -> Backbone:
    """A backbone of which the trained tensors were moved."""
    settings = BackboneSettings(BACKBONE, RANDOM, seed=3, **TRAINED[name])
    trained = load_backbone(settings, "cpu").eval()
    with torch.no_grad():
        for tensor in trained.trained_tensors().values():
            tensor.add_(torch.randn(tensor.shape), alpha=0.02)
    return trained


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_backbone_comes_from_the_checkpoint(
    tmp_path: Path, store: Store, name: str
) -> None:
    trained = moved(name)
    card = card_of(SETTINGS, trained, {"trained": ["model"]})
    save_checkpoint(tmp_path, a_model(), card, trained.trained_tensors())
    assert card.trained == ["model", "backbone"]

    made = backbone_of(load_checkpoint(tmp_path), "cpu")

    assert made.fingerprint == trained.fingerprint
    assert made.frozen
    assert not any(parameter.requires_grad for parameter in made.parameters())
    assert read_card(tmp_path).backbone_trained == trained.settings.trained
    assert made.settings == (replace(trained.settings, side=160))
    predictor = load_predictor(tmp_path, store)
    assert_same_answers(
        predictor.predict(image_batch(3, image_keys=image_keys_of(3))),
        answers_part_by_part(trained),
    )
    assert not list(store.root.rglob("*.sqlite"))


def test_only_what_was_trained_is_stored(tmp_path: Path) -> None:
    sizes = {}
    for name in ("all", "last", "lora"):
        trained = moved(name)
        save_checkpoint(
            tmp_path / name, a_model(), card_of(SETTINGS, trained), trained.trained_tensors()
        )
        stored = load_checkpoint(tmp_path / name).backbone
        sizes[name] = sum(tensor.numel() for tensor in stored.values())
    assert sizes["lora"] < sizes["last"] < sizes["all"]
    assert all("lora" in name for name in load_checkpoint(tmp_path / "lora").backbone)


def test_what_the_card_says_was_trained_must_be_there(tmp_path: Path, backbone: Backbone) -> None:
    trained = moved("lora")
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, trained))
    with pytest.raises(RunError, match=r"weights of test_vit in .*: found 0 tensors: .*missing"):
        load_predictor(tmp_path)
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone), trained.trained_tensors())
    with pytest.raises(RunError, match=r"weights of test_vit in .*not the model's"):
        load_predictor(tmp_path)


def test_a_backbone_that_was_not_trained_is_not_named_as_trained(backbone: Backbone) -> None:
    card = card_of(SETTINGS, backbone, {"trained": ["model", "backbone"]})
    assert (card.trained, card.backbone_trained) == (["model"], "none")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"peft": "0.1"}, r"peft .* found test_vit as peft 0\.1 makes it .*pip install peft==0\.1"),
        ({"trained": "most"}, "trained of the backbone in model.json: found 'most'"),
        ({"trained": ["all"]}, r"found \['all'\]; expected none, adapters, last, all"),
        ({"trained": "none"}, "not the model's"),
        ({"adapter": 3}, "adapter of the backbone in model.json: found 3"),
        ({"adapter": {"rank": 0}}, "adapter setting rank: found 0"),
        ({"adapter": {"size": 2}}, "adapter of the backbone .*expected the settings"),
        ({"adapter": {"rank": 10**8}}, r"of another shape .*\(100000000"),
        ({"last_blocks": "two"}, "last_blocks of the backbone in model.json: found 'two'"),
        ({"seed": 4}, "weights of the backbone: found"),
    ],
)
def test_a_card_of_other_trained_parts_is_refused(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    trained = moved("lora")
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, trained), trained.trained_tensors())
    card = json.loads((tmp_path / "model.json").read_text())
    card["training"]["backbone"] |= changed
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(RunError, match=words):
        load_predictor(tmp_path)


def test_a_file_of_weights_is_found_again_and_checked(tmp_path: Path, backbone: Backbone) -> None:
    file = tmp_path / "vit.safetensors"
    save_file(backbone.model.state_dict(), file)
    from_file = load_backbone(BackboneSettings(BACKBONE, str(file)), "cpu")
    save_checkpoint(tmp_path / "new", a_model(), card_of(SETTINGS, from_file))
    assert_same_answers(
        load_predictor(tmp_path / "new").predict(image_batch(3)), answers_part_by_part(backbone)
    )

    nn.init.zeros_(from_file.model.norm.bias)
    nn.init.ones_(from_file.model.pos_embed)
    save_file(from_file.model.state_dict(), file)
    with pytest.raises(RunError, match=r"weights of the backbone: found [0-9a-f]{64}; exp"):
        load_predictor(tmp_path / "new")

    file.unlink()
    with pytest.raises(RunError, match=r"vit\.safetensors: found no such file"):
        load_predictor(tmp_path / "new")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("training",), {}, "timm"),
        (("training", "backbone", "timm"), "0.9.0", r"pip install timm==0\.9\.0"),
        (("training", "backbone", "weights"), 3, "weights of the backbone in model.json: found 3"),
        (("views", "side"), "wide", "side of the backbone in model.json: found 'wide'"),
        (("views", "version"), 99, "geometry of the views: .*expected.*99"),
        (("backbone",), "test_vit9", "no such model in timm"),
        (("backbone_fingerprint",), "0" * 64, "weights of the backbone: found .*expected 0{64}"),
    ],
)
def test_a_card_of_another_backbone_is_refused(
    tmp_path: Path, backbone: Backbone, path: tuple[str, ...], value: Any, words: str
) -> None:
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone))
    card = json.loads((tmp_path / "model.json").read_text())
    inner = card
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (tmp_path / "model.json").write_text(json.dumps(card))

    with pytest.raises(RunError, match=words):
        load_predictor(tmp_path)


def test_a_backbone_comes_in_the_precision_of_its_model(tmp_path: Path) -> None:
    settings = BackboneSettings(BACKBONE, RANDOM, seed=3, precision="bf16")
    rounded = load_backbone(settings, "cpu")
    model = StreetModel(replace(SETTINGS, precision="bf16"))
    save_checkpoint(tmp_path, model, card_of(model.settings, rounded))

    made = backbone_of(load_checkpoint(tmp_path), "cpu")

    assert made.precision == "bf16"
    assert made.fingerprint == rounded.fingerprint


def test_a_backbone_of_another_precision_than_its_model_is_refused(backbone: Backbone) -> None:
    with pytest.raises(RunError, match=r"precision of test_vit: found fp32; expected bf16, the"):
        card_of(replace(SETTINGS, precision="bf16"), backbone)


def test_a_card_of_another_precision_is_refused(tmp_path: Path, backbone: Backbone) -> None:
    """Its backbone would be another: other features than the model was trained with."""
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone))
    path = tmp_path / "model.json"
    card = json.loads(path.read_text())
    card["settings"]["precision"] = "bf16"
    path.write_text(json.dumps(card))
    with pytest.raises(RunError, match=r"weights of the backbone: found [0-9a-f]{64}; exp"):
        load_predictor(tmp_path)


def test_card_says_where_weights_come_from(backbone: Backbone) -> None:
    card = card_of(SETTINGS, backbone, {"rows": 5})

    assert card.training == {
        "rows": 5,
        "backbone": {
            "weights": "random",
            "seed": 3,
            "timm": timm.__version__,
            "trained": "none",
            "last_blocks": None,
            "adapter": None,
            "peft": None,
            "untrained": None,
        },
    }
    assert card.views["side"] == 160
