from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import RunError
from model.checkpoint.average import average_weights
from model.checkpoint.card import ModelCard
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from model.network.street_model import StreetModel
from tests.model.checkpoint.random_checkpoint import CARD, SETTINGS, a_model

TRAINED = replace(CARD, training={"backbone": {"trained": "all", "weights": "hub"}})


def a_backbone(seed: int) -> dict[str, torch.Tensor]:
    """Of sizes from 1e-20 to 1e20, so that the order of a sum shows."""
    generator = torch.Generator().manual_seed(seed)
    spread = 10.0 ** torch.randint(-20, 20, (500,), generator=generator)
    weights = torch.randn(500, generator=generator) * spread
    return {
        "w": weights,
        "half": weights.clamp(-1e4, 1e4).half(),
        "double": weights.double() * 1.1,
        "count": torch.tensor(3),
        "flag": torch.tensor([True, False]),
    }


def a_checkpoint_of(
    seed: int, card: ModelCard = TRAINED, changed: Mapping[str, torch.Tensor] = MappingProxyType({})
) -> Checkpoint:
    return Checkpoint(a_model(seed), card, "", {**a_backbone(seed), **changed})


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_means_are_those_of_numpy(count: int) -> None:
    checkpoints = [a_checkpoint_of(seed) for seed in range(count)]

    average = average_weights(checkpoints)

    pairs: list[tuple[torch.Tensor, list[torch.Tensor]]] = [
        (tensor, [checkpoint.model.state_dict()[name] for checkpoint in checkpoints])
        for name, tensor in average.model.items()
    ] + [
        (tensor, [checkpoint.backbone[name] for checkpoint in checkpoints])
        for name, tensor in average.backbone.items()
    ]
    assert len(pairs) == len(a_model().state_dict()) + 5
    for tensor, values in pairs:
        expected = np.mean([value.double().numpy() for value in values], axis=0)
        assert tensor.dtype == values[0].dtype
        scale = np.mean([value.double().abs().numpy() for value in values], axis=0)
        # a float64 sum, rounded once to the weights' own type
        error = np.abs(tensor.double().numpy() - expected)
        rounding = torch.finfo(tensor.dtype).eps if tensor.is_floating_point() else 0
        smallest = 2.0**-24 if tensor.dtype == torch.float16 else 1e-44
        assert (error <= rounding * np.abs(expected) + 1e-15 * scale + smallest).all()
    StreetModel(SETTINGS).load_state_dict(average.model)


def test_one_checkpoint_is_its_own_mean_and_stays_as_it_is() -> None:
    only = a_checkpoint_of(1)
    average = average_weights([only])
    for name, tensor in only.backbone.items():
        assert torch.equal(average.backbone[name], tensor)
        average.backbone[name].zero_()
    assert torch.equal(only.backbone["w"], a_backbone(1)["w"])


def test_the_order_of_checkpoints_changes_no_bit() -> None:
    checkpoints = [a_checkpoint_of(seed) for seed in range(4)]
    first = average_weights(checkpoints)
    naive = set()
    for order in permutations(checkpoints):
        other = average_weights(order)
        for name in first.backbone:
            assert torch.equal(other.backbone[name], first.backbone[name])
        for name in first.model:
            assert torch.equal(other.model[name], first.model[name])
        naive.add(sum(checkpoint.backbone["double"] for checkpoint in order).numpy().tobytes())  # type: ignore[union-attr]
    assert len(naive) > 1


def test_saved_checkpoints_are_averaged_from_their_files(tmp_path: Path) -> None:
    loaded = []
    for seed in range(3):
        save_checkpoint(tmp_path / str(seed), a_model(seed), TRAINED, a_backbone(seed))
        loaded.append(load_checkpoint(tmp_path / str(seed)))
    expected = average_weights([a_checkpoint_of(seed) for seed in range(3)])
    average = average_weights(loaded)
    assert torch.equal(average.backbone["w"], expected.backbone["w"])
    assert torch.equal(average.model["positions"], expected.model["positions"])


def trained_on(**backbone: Any) -> dict[str, Any]:
    return {"training": {"backbone": {"trained": "all", "weights": "hub"} | backbone}}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"settings": replace(SETTINGS, drop_view=0.2)}, "settings of a checkpoint to average"),
        ({"backbone": "vit"}, "backbone of a checkpoint .*found vit; expected test_convnext"),
        ({"views": {"side": 224}}, "views of a checkpoint .*224.*160"),
        (trained_on(weights="random"), "weights and trained parts of the backbone .*random.*hub"),
        (trained_on(untrained="abc"), "weights and trained parts of the backbone .*abc"),
        ({"training": {**TRAINED.training, "metadata": True}}, "metadata .*found True; exp.*None"),
    ],
)
def test_other_checkpoints_are_refused(changed: dict[str, Any], words: str) -> None:
    other = a_checkpoint_of(2, replace(TRAINED, **changed))
    with pytest.raises(RunError, match=words):
        average_weights([a_checkpoint_of(1), other])


def test_the_fingerprint_of_a_frozen_backbone_must_be_the_same() -> None:
    checkpoints = [
        Checkpoint(a_model(seed), replace(CARD, backbone_fingerprint=str(seed)), "", {})
        for seed in (1, 2)
    ]
    with pytest.raises(
        RunError, match=r"frozen backbone of .*found 2; expected 1, as in the first"
    ):
        average_weights(checkpoints)


@pytest.mark.parametrize("name", ["count", "flag"])
def test_whole_numbers_that_differ_are_refused(name: str) -> None:
    value = a_backbone(1)[name]
    other = a_checkpoint_of(2, changed={name: ~value if name == "flag" else value + 1})
    with pytest.raises(RunError, match=f"{name} of the checkpoints to average: found whole"):
        average_weights([a_checkpoint_of(1), other])


def test_none_and_tensors_of_other_names_are_refused() -> None:
    with pytest.raises(RunError, match="checkpoints to average: found none"):
        average_weights([])
    with pytest.raises(RunError, match=r"weights of a checkpoint to average: .*\(more\)"):
        average_weights([a_checkpoint_of(1), a_checkpoint_of(2, changed={"more": torch.zeros(1)})])
