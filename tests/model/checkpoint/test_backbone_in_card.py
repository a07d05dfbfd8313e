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
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import backbone_of, card_of
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
    tmp_path: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone), backbone.state_dict())
    path = tmp_path / "model.json"
    written = json.loads(path.read_text()) | {"backbone": "vit_7b_patch16_dinov3"}
    path.write_text(json.dumps(written))
    monkeypatch.setattr("model.checkpoint.backbone_in_card.load_backbone", None)
    with pytest.raises(RunError, match=r"weights of vit_7b_patch16_dinov3 in .*different"):
        load_predictor(tmp_path)


def test_a_trained_backbone_comes_from_the_checkpoint(tmp_path: Path, store: Store) -> None:
    trained = load_backbone(BackboneSettings(BACKBONE, RANDOM, trained="all"), "cpu").eval()
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, trained), trained.state_dict())

    made = backbone_of(load_checkpoint(tmp_path), "cpu")

    assert made.fingerprint == trained.fingerprint
    assert made.settings.frozen
    predictor = load_predictor(tmp_path, store)
    assert_same_answers(
        predictor.predict(image_batch(3, image_keys=image_keys_of(3))),
        answers_part_by_part(trained),
    )
    assert not list(store.root.rglob("*.sqlite"))


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
        },
    }
    assert card.views["side"] == 160
