import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from data.errors import RunError
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings, Trained
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.optimization.full_model import FullModel
from model.optimization.optimizer import WeightAverage, make_optimizer, make_schedule
from model.optimization.settings import OptimizerSettings

SETTINGS = OptimizerSettings(lr=1e-3, weight_decay=0.02)


def full_model(trained: Trained = "none", name: str = "test_vit") -> FullModel:
    backbone = load_backbone(BackboneSettings(name, RANDOM, side=32, trained=trained), "cpu")
    small = ModelSettings(backbone.width, 12, 32, 4, layers=2, prune_after=1, scorer_width=8)
    return FullModel(backbone, StreetModel(small))


def groups_by_name(
    model: FullModel, optimizer: torch.optim.Optimizer
) -> dict[str, dict[str, float]]:
    """Weight decay and learning rate of each parameter that is trained, by its name."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: {"weight_decay": group["weight_decay"], "lr": group["lr"]}
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


@pytest.mark.parametrize("trained", ["none", "all"])
def test_all_that_is_trained_is_in_one_group(trained: Trained) -> None:
    model = full_model(trained)
    optimizer = make_optimizer(model, SETTINGS)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert len(parameters) == len(set(parameters))
    assert set(parameters) == {p for p in model.parameters() if p.requires_grad}
    assert any(name.startswith("backbone") for name in groups_by_name(model, optimizer)) is (
        trained == "all"
    )


def test_matrices_decay_and_vectors_positions_and_tables_do_not() -> None:
    model = full_model("all")
    groups = groups_by_name(model, make_optimizer(model, SETTINGS))
    for name, parameter in model.named_parameters():
        exempt = (
            parameter.ndim <= 1
            or name in ("street.positions", "backbone.model.pos_embed", "backbone.model.cls_token")
            or "tables" in name
            or name.endswith(".bias")
        )
        assert groups[name]["weight_decay"] == (0.0 if exempt else 0.02), name


def test_a_backbone_has_its_own_rate_and_decays_it_by_layer() -> None:
    model = full_model("all")
    settings = replace(SETTINGS, backbone_lr=1e-4, layer_decay=0.5, warmup_steps=0)
    optimizer = make_optimizer(model, settings)
    make_schedule(optimizer, settings, 10).step_update(0)
    rates = {name: group["lr"] for name, group in groups_by_name(model, optimizer).items()}
    assert rates["street.positions"] == pytest.approx(1e-3)
    blocks = [
        {rate for name, rate in rates.items() if name.startswith(f"backbone.model.blocks.{block}.")}
        for block in range(len(model.backbone.model.blocks))
    ]
    assert all(len(rate) == 1 for rate in blocks)
    flat = [rate.pop() for rate in blocks]
    for lower, upper in pairwise(flat):
        assert lower == pytest.approx(0.5 * upper)
    assert rates["backbone.model.norm.weight"] == pytest.approx(1e-4)
    assert max(flat) <= 1e-4
    assert rates["backbone.model.patch_embed.proj.weight"] < min(flat)


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine() -> None:
    optimizer = make_optimizer(full_model(), SETTINGS)
    schedule = make_schedule(optimizer, SETTINGS, 100)
    rates = []
    for step in range(101):
        schedule.step_update(step)
        rates.append(optimizer.param_groups[0]["lr"] / 1e-3)
    assert rates[0] == pytest.approx(1 / 11)
    assert rates[10] == pytest.approx(1.0)
    assert max(rates) == rates[10]
    assert rates[:11] == sorted(rates[:11])
    expected = [0.5 * (1 + math.cos(math.pi * step / 90)) for step in range(91)]
    assert rates[10:] == pytest.approx(expected, abs=1e-9)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("steps", "warmup"), [(100, 10), (4000, 400), (20_000, 500), (1, 0)])
def test_warm_up_is_a_tenth_of_all_steps_and_500_at_most(steps: int, warmup: int) -> None:
    assert make_schedule(make_optimizer(full_model(), SETTINGS), SETTINGS, steps).warmup_t == warmup


@pytest.mark.parametrize("opt", ["adamw", "lion", "sgd", "muon"])
def test_any_optimiser_of_timm_fits(opt: str) -> None:
    make_optimizer(full_model(), replace(SETTINGS, opt=opt))


@pytest.mark.parametrize(
    ("opt", "given", "betas"),
    [
        ("adamw", None, (0.9, 0.98)),
        ("adamw", (0.8, 0.95), (0.8, 0.95)),
        ("lion", None, (0.9, 0.99)),
        ("lion", (0.95, 0.98), (0.95, 0.98)),
    ],
)
def test_an_optimiser_has_its_own_betas_unless_told(
    opt: str, given: tuple[float, ...] | None, betas: tuple[float, float]
) -> None:
    optimizer = make_optimizer(full_model(), replace(SETTINGS, opt=opt, opt_betas=given))
    assert {tuple(group["betas"]) for group in optimizer.param_groups} == {betas}


@pytest.mark.parametrize(
    ("opt", "betas", "found"),
    [
        ("sgd", (0.9, 0.98), "--opt-betas: found 2 for --opt sgd; expected 0"),
        ("adamw", (0.9,), "--opt-betas: found 1 for --opt adamw; expected 2"),
    ],
)
def test_betas_that_an_optimiser_cannot_have_are_one_line(
    opt: str, betas: tuple[float, ...], found: str
) -> None:
    with pytest.raises(RunError, match=found):
        make_optimizer(full_model(), replace(SETTINGS, opt=opt, opt_betas=betas))


def test_an_unknown_optimiser_is_one_line() -> None:
    with pytest.raises(RunError, match=r"--opt: found adam2; expected an optimiser of timm"):
        make_optimizer(full_model(), replace(SETTINGS, opt="adam2"))


def test_the_average_follows_the_weights_of_all_that_is_trained() -> None:
    model = full_model("all")
    average = WeightAverage(model, 0.5)
    before = {name: tensor.clone() for name, tensor in average.model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    for _ in range(3):
        average.update(1000)
    for name, tensor in average.model.named_parameters():
        assert torch.allclose(tensor, before[name] + 1 - 0.5**3, atol=1e-6), name


def test_a_frozen_backbone_is_not_copied_for_the_average() -> None:
    model = full_model()
    assert WeightAverage(model, 0.5).model.backbone is model.backbone
