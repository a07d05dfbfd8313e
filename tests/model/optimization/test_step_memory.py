from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch._C._dynamo.eval_frame import set_eval_frame

from data.errors import RunError
from model.backbone import batch_size
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.batch import row_table
from model.datasets.loaders import training_loader, validation_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.optimization.batch_loss import BatchLoss
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.optimization.step_memory import StepSize, step_size, training_cost
from model.optimization.trainer import Loaders, Trainer
from tests.gpu.drawn_images import DrawnImages, training_rows
from tests.model.backbone.allocated_peak import allocated_peak
from tests.model.optimization.toy import QUICK, cpu_accelerator, toy_trainer

CONFIG = TrainingConfig(
    training=TrainSettings(epochs=2, batch_size=8, accumulation_steps=1, views=4),
    optimizer=OptimizerSettings(lr=1e-3, ema_decay=0.9),
    loss=LossSettings(smoothing=0.1),
    dataset=DatasetSettings(mixup=0.2),
    backbone=BackboneSettings("test_vit", RANDOM, 64, trained="all"),
    model=ModelSettings(
        64, 12, 32, 4, layers=1, prune_after=1, drop_path=0.0, drop_view=0.0, scorer_width=8
    ),
)


def full_model(config: TrainingConfig) -> FullModel:
    return FullModel(load_backbone(config.backbone, "cpu"), StreetModel(config.model))


def with_views(views: int) -> TrainingConfig:
    return replace(CONFIG, training=replace(CONFIG.training, views=views))


def with_backbone(**changes: Any) -> TrainingConfig:
    return replace(CONFIG, backbone=replace(CONFIG.backbone, **changes))


def no_average(config: TrainingConfig) -> TrainingConfig:
    return replace(config, optimizer=replace(config.optimizer, ema_decay=0.0))


def image_batch(config: TrainingConfig, challenges: int) -> Any:
    table = row_table(training_rows(challenges))
    return DrawnImages(table, 0, config.training.views).__getitems__(range(challenges))


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_cost_is_what_the_allocator_gives_for_a_step(
    checkpointing: bool, precision: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a fifth: kernels have scratch of their own; the optimiser has made no step yet."""
    config = no_average(with_backbone(checkpointing=checkpointing, precision=precision))
    config = replace(config, model=replace(config.model, precision=precision))
    model = full_model(config).train()
    monkeypatch.setattr(model.extractor, "of_batch", model.extractor.by_matrices)
    cost = training_cost(model, config)
    kept = 2 * sum(weight.nbytes for weight in model.parameters())
    loss, batch = BatchLoss(config), image_batch(config, 8)

    def step(_: int) -> None:
        for part in loss.parts(model, batch, 8):
            torch.autograd.backward(part.total)

    step(8)  # what libraries keep comes once
    model.zero_grad()
    assert cost.peak(8) - kept == pytest.approx(allocated_peak(step, 8), rel=0.2)


def test_the_cost_grows_with_views_and_shrinks_with_checkpointing() -> None:
    backbone = replace(CONFIG.backbone, checkpointing=True)
    checkpointing = replace(with_views(12), backbone=backbone)
    costs = [
        training_cost(full_model(config), config)
        for config in (with_views(4), with_views(12), checkpointing)
    ]
    few, all_views, checkpointed = (cost.per_image for cost in costs)
    assert 2 * few < all_views < 3 * few
    assert checkpointed < all_views / 3


def test_the_cost_is_the_same_where_torchs_compiler_watches_calls() -> None:
    """As it does for good once something was exported in the process: a caller keeps arguments."""
    config = with_views(12)
    model = full_model(config)
    plain = training_cost(model, config)
    before = set_eval_frame(False)
    try:
        assert training_cost(model, config) == plain
    finally:
        set_eval_frame(before)


def test_what_is_kept_of_each_weight_is_counted_once() -> None:
    model = full_model(CONFIG)
    weights = sum(weight.nbytes for weight in model.parameters())
    state = sum(tensor.nbytes for tensor in model.state_dict().values())
    plain = training_cost(model, no_average(CONFIG)).fixed
    assert training_cost(model, CONFIG).fixed - plain == pytest.approx(state, rel=1e-3)
    exchanged = training_cost(model, no_average(CONFIG), processes=2).fixed
    assert exchanged - plain == weights
    frozen = no_average(with_backbone(trained="none"))
    assert training_cost(full_model(frozen), frozen).fixed < plain / 2


def test_a_model_is_afterwards_as_it_was() -> None:
    model = full_model(CONFIG).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    drawn = torch.get_rng_state()
    training_cost(model, CONFIG)
    assert not model.training
    assert not model.backbone.training
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the free memory to twice what so many challenges need."""

    def set_free(challenges: float) -> None:
        cost = training_cost(full_model(CONFIG), CONFIG)
        enough = 2 * (cost.fixed + int(challenges * cost.per_image))
        for module in ("model.backbone.batch_size", "model.optimization.step_memory"):
            monkeypatch.setattr(f"{module}.available_bytes", lambda _: enough)

    return set_free


def test_a_batch_is_halved_until_a_part_fits_and_that_is_said(
    free: Callable[[float], None],
) -> None:
    free(8)
    accelerator = cpu_accelerator(CONFIG)
    assert step_size(full_model(CONFIG), CONFIG, accelerator) == StepSize()
    free(3.5)
    size = step_size(full_model(CONFIG), CONFIG, accelerator)
    assert size.at_once == 2
    assert size.reason.startswith("a batch of 8 needs 0.")
    assert size.reason.endswith("gradients of 4 parts of at most 2 are summed")


def test_not_even_one_challenge_is_one_line(
    free: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(1)
    monkeypatch.setattr(batch_size, "available_bytes", lambda _: 2**20)
    with pytest.raises(RunError, match=r"one challenge on cpu.*--views, or --grad-checkpointing"):
        step_size(full_model(CONFIG), CONFIG, cpu_accelerator(CONFIG))


def test_the_process_with_the_least_memory_decides(
    free: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(100)
    others: list[StepSize | RunError] = [StepSize(4, "half fits"), StepSize(2, "a quarter fits")]
    monkeypatch.setattr("model.optimization.step_memory.gather_object", lambda own: own + others)
    accelerator = cpu_accelerator(CONFIG)
    assert step_size(full_model(CONFIG), CONFIG, accelerator) == others[1]
    others.append(RunError("one challenge"))
    with pytest.raises(RunError, match="one challenge"):
        step_size(full_model(CONFIG), CONFIG, accelerator)


def test_a_model_whose_cost_cannot_be_told_is_tried_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = full_model(CONFIG)
    monkeypatch.setattr(model.backbone, "forward", lambda views: views * float(views.sum()))
    size = step_size(model, CONFIG, cpu_accelerator(CONFIG))
    assert size.at_once is None
    assert size.reason.startswith("what a step needs of memory cannot be told")


def image_trainer(config: TrainingConfig, at_once: int | None) -> Trainer:
    table = row_table(training_rows(12))
    sizes = BatchSettings(config.training.batch_size)
    batches = TrainingBatches(SceneSampler(table.scenes, 0), table.scenes, sizes, 0)
    images = DrawnImages(table, 0, config.training.views)
    loaders = Loaders(
        training_loader(images, batches, 0, torch.device("cpu")),
        batches,
        validation_loader(DrawnImages(table, 1), 8),
    )
    return Trainer(full_model(config), loaders, config, cpu_accelerator(config), at_once)


def test_parts_give_the_steps_and_the_weights_of_the_whole(free: Callable[[float], None]) -> None:
    """To rounding, with MixUp and the average; losses that count some challenges only are off."""
    free(3.5)
    size = step_size(full_model(CONFIG), CONFIG, cpu_accelerator(CONFIG))
    config = replace(CONFIG, loss=replace(CONFIG.loss, scorer=0.0, weather=0.0))
    whole, parts = (image_trainer(config, at_once) for at_once in (None, size.at_once))
    expected, found = list(whole.epochs()), list(parts.epochs())
    assert [metrics.steps for metrics in found] == [metrics.steps for metrics in expected] == [2, 4]
    for epoch, reference in zip(found, expected, strict=True):
        assert epoch.loss == pytest.approx(reference.loss, rel=1e-4)
        assert epoch.losses == pytest.approx(reference.losses, rel=1e-4)
    wanted = whole.kept.trained_state()
    for part, tensors in parts.kept.trained_state().items():
        for name, tensor in tensors.items():
            assert torch.allclose(tensor, wanted[part][name], atol=2e-4), name


def test_a_resumed_training_takes_the_parts_that_it_began_with() -> None:
    begun, whole = toy_trainer(QUICK, at_once=8), toy_trainer(QUICK)
    list(zip(range(1), begun.epochs(), strict=False))
    whole.restore(begun.state())
    assert whole.state()["at_once"] == 8
    smaller = toy_trainer(QUICK, at_once=4)
    smaller.restore(begun.state())
    assert smaller.state()["at_once"] == 4


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("x: can't allocate memory: y")],
)
def test_memory_that_runs_out_in_a_step_is_one_line(
    error: RuntimeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    trainer = toy_trainer(QUICK, at_once=8)
    monkeypatch.setattr(StreetModel, "forward", full)
    with pytest.raises(RunError) as raised:
        next(trainer.epochs())
    assert str(raised.value) == (
        "training, epoch 1, after step 0: found out of memory with 8 challenges; expected room for "
        "them; choose a smaller --batch-size, with more --accumulation-steps"
    )
