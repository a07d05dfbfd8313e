import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import RunError
from model.backbone.backbone import Backbone
from model.datasets.batch import Batch, RowDraw
from model.datasets.feature_dataset import FeatureDataset
from model.network.street_model import ModelOutput, StreetModel
from model.optimization.trainer import StoppedError, Trainer
from tests.model.optimization.toy import QUICK, toy_backbone, toy_data, toy_trainer

SHORT = replace(QUICK, training=replace(QUICK.training, epochs=2))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return toy_backbone()


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.kept.street.state_dict().items()}


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


@pytest.mark.parametrize("ema_decay", [0.0, 0.99])
@pytest.mark.parametrize("opt", ["adamw", "lion"])
def test_it_learns_a_toy(backbone: Backbone, opt: str, ema_decay: float) -> None:
    lr = 3e-3 if opt == "adamw" else 3e-4
    optimizer = replace(QUICK.optimizer, opt=opt, lr=lr, ema_decay=ema_decay)
    trainer = toy_trainer(
        replace(QUICK, optimizer=optimizer), backbone, toy_data(320, 0), toy_data(160, 1)
    )
    course = list(trainer.epochs())
    assert [metrics.epoch for metrics in course] == list(range(1, 13))
    assert [metrics.steps for metrics in course] == list(range(10, 121, 10))
    assert course[-1].loss < 0.6 * course[0].loss
    assert course[-1].validation_loss < 0.6 * course[0].validation_loss
    assert course[-1].mcc > 0.75
    assert course[-1].n == 320


def test_losses_are_reported_by_name_and_add_up(backbone: Backbone) -> None:
    every = replace(SHORT, loss=replace(SHORT.loss, consistency=0.3))
    for config, names in ((SHORT, set()), (every, {"consistency"})):
        for metrics in toy_trainer(config, backbone).epochs():
            settings = config.loss
            assert metrics.losses.keys() == {"label", "views", "weather", "scorer"} | names
            total = sum(getattr(settings, name) * value for name, value in metrics.losses.items())
            assert metrics.loss == pytest.approx(total, rel=1e-5)


def test_a_seed_gives_the_same_weights_whatever_was_drawn_before(backbone: Backbone) -> None:
    config = replace(SHORT, training=replace(SHORT.training, views=7))
    state = torch.get_rng_state()
    first = toy_trainer(config, backbone)
    list(first.epochs())
    assert torch.equal(torch.get_rng_state(), state)
    torch.randn(5)
    again = toy_trainer(config, backbone)
    for _ in again.epochs():
        torch.randn(3)  # whoever reads the metrics may draw
    assert equal(weights(first), weights(again))
    other = toy_trainer(replace(config, training=replace(config.training, seed=1)), backbone)
    list(other.epochs())
    assert not torch.equal(weights(first)["positions"], weights(other)["positions"])


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("opt", ["adamw", "lion"])
def test_a_training_stopped_anywhere_goes_on_to_the_same_bits(
    backbone: Backbone, opt: str, ema_decay: float
) -> None:
    optimizer = replace(QUICK.optimizer, opt=opt, lr=1e-3, ema_decay=ema_decay)
    settings = replace(QUICK.training, epochs=3, batch_size=8, accumulation_steps=2, views=6)
    config = replace(QUICK, training=settings, optimizer=optimizer)
    whole = toy_trainer(config, backbone)
    expected = list(whole.epochs())
    assert whole.steps == 9
    for stop_after in range(1, 10):
        stopped = toy_trainer(config, backbone)
        interruption = _Interruption(stopped, stop_after)
        epochs = stopped.epochs(stop=interruption.stop, save=interruption.save)
        before = list(islice(epochs, (stop_after - 1) // 3))
        with pytest.raises(StoppedError, match=f"after step {stop_after} of 9"):
            next(epochs)
        torch.randn(7)
        resumed = toy_trainer(config, backbone)
        resumed.restore(interruption.state)
        assert resumed.epoch_share == pytest.approx((stop_after - len(before) * 3) / 3)
        assert before + list(resumed.epochs()) == expected
        assert equal(weights(resumed), weights(whole))


class _Interruption:
    """Asks a trainer to stop after some steps, and keeps its state."""

    def __init__(self, trainer: Trainer, steps: int) -> None:
        self._trainer, self._steps = trainer, steps
        self.state: dict[str, Any] = {}

    def stop(self) -> bool:
        return self._trainer.steps >= self._steps

    def save(self) -> None:
        self.state = _copy(self._trainer.state())


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copy(part) for part in value)
    return value


class Recording(FeatureDataset):
    """A toy that notes what it was asked for."""

    def __init__(self, data: FeatureDataset) -> None:
        self.__dict__.update(data.__dict__)
        self.asked: list[list[RowDraw]] = []
        self.batches: list[Batch] = []

    def __getitems__(self, draws: Sequence[RowDraw]) -> Batch:
        self.asked.append(list(draws))
        self.batches.append(super().__getitems__(draws))
        return self.batches[-1]


def test_an_epoch_sees_each_row_once_and_validation_every_image(backbone: Backbone) -> None:
    training, validation = Recording(toy_data(70, 0)), Recording(toy_data(20, 1))
    list(toy_trainer(SHORT, backbone, training, validation).epochs())
    assert [len(draws) for draws in training.asked] == [23, 23, 24] * 2
    for epoch in (training.asked[:3], training.asked[3:]):
        assert sorted(draw.row for draws in epoch for draw in draws) == list(range(70))
    every = [(draw.row, draw.draw) for draws in validation.asked[:2] for draw in draws]
    assert every == [(row, draw) for row in range(20) for draw in range(2)]


def test_a_step_may_show_some_views_only(backbone: Backbone) -> None:
    config = replace(SHORT, training=replace(SHORT.training, views=5))
    training, validation = Recording(toy_data(70, 0, views=5)), Recording(toy_data(20, 1))
    list(toy_trainer(config, backbone, training, validation).epochs())
    shown = [batch.views for batch in training.batches]
    for views, batch in zip(shown, training.batches, strict=True):
        assert views is not None
        assert views.shape[1] == batch.inputs.shape[1] == 5
        assert (views[:, 0] == 0).all()
        assert (views.diff(dim=1) > 0).all()
    counts = np.bincount(torch.cat([views for views in shown if views is not None]).flatten())
    assert (counts[1:] > 0).all()
    assert all(batch.views is None for batch in validation.batches)


def test_views_are_hidden_in_training_only(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    forward = StreetModel.forward

    def noting(self: StreetModel, *arguments: Any, **named: Any) -> ModelOutput:
        output = forward(self, *arguments, **named)
        seen[self.training].append(output.seen)
        return output

    monkeypatch.setattr(StreetModel, "forward", noting)
    list(toy_trainer(SHORT, backbone, toy_data(70, 0)).epochs())
    hidden = torch.cat(seen[True])
    assert hidden[:, 0].all()
    assert 0.05 < 1 - hidden[:, 1:].float().mean() < 0.2
    assert torch.cat(seen[False]).all()


def test_gradients_of_several_batches_are_those_of_one(backbone: Backbone) -> None:
    """Without dropout a step from two halves is the step from the whole, to rounding."""
    model = replace(QUICK.model, drop_view=0.0)
    loss = replace(QUICK.loss, weather=0.0, scorer=0.0)
    config = replace(SHORT, model=model, loss=loss)
    halves = replace(config.training, batch_size=20, accumulation_steps=2)
    whole = replace(config.training, batch_size=40)
    kept = []
    for training in (halves, whole):
        trainer = toy_trainer(replace(config, training=training), backbone)
        assert [epoch.steps for epoch in trainer.epochs()] == [1, 2]
        kept.append(weights(trainer))
    for name, tensor in kept[0].items():
        assert torch.allclose(tensor, kept[1][name], atol=2e-4), name


def test_a_loss_that_explodes_is_one_line(backbone: Backbone) -> None:
    data = toy_data(40, 0)
    data._features.fill_(torch.nan)
    with pytest.raises(RunError, match=r"epoch 1, after step 0.*loss of nan.*lower --lr"):
        list(toy_trainer(QUICK, backbone, data).epochs())


def test_means_of_losses_are_over_the_whole_epoch(backbone: Backbone) -> None:
    config = replace(SHORT, optimizer=replace(SHORT.optimizer, lr=1e-12))
    course = list(toy_trainer(config, backbone).epochs())
    assert all(math.isfinite(epoch.loss) for epoch in course)
    assert course[0].loss == pytest.approx(course[1].loss, rel=0.2)


def test_the_backward_pass_is_in_full_float32_too(backbone: Backbone) -> None:
    trainer = toy_trainer(SHORT, backbone)
    found = []
    weight: Any = trainer.kept.street.positions
    weight.register_hook(lambda _gradient: found.append(torch.get_float32_matmul_precision()))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        next(trainer.epochs())
    finally:
        torch.set_float32_matmul_precision(before)
    assert set(found) == {"highest"}
