from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from data.errors import RunError
from data.records.stored_challenge import StoredChallenge
from data.records.types import Augmentation
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.challenge_draws import Sample
from model.datasets.training_row import TrainingRow
from model.metadata.tensors import MetadataTensors
from model.network.settings import ModelSettings
from model.network.street_model import ModelOutput, StreetModel
from model.training.dataset import Dataset, make_dataset
from model.training.inputs import FeatureInputs
from model.training.settings import TrainSettings
from model.training.trainer import Trainer
from replay.rebuilding.variants import UNDISTORTED

WIDTH = 16
MODEL = ModelSettings(
    WIDTH,
    12,
    32,
    4,
    layers=1,
    prune_after=1,
    drop_path=0.0,
    drop_view=0.1,
    scorer_width=8,
)
QUICK = TrainSettings(epochs=12, batch_size=32, lr=3e-3, images=2)


def toy_dataset(rows: int, seed: int, images: int = 2) -> Dataset:
    """A sign in one or two of twelve views, and noise; `images` of each row."""
    generator = torch.Generator().manual_seed(seed)
    sign = torch.linspace(-1.5, 1.5, WIDTH)
    described = [
        TrainingRow("a.parquet", row, row % 2, (1, 1), {"weather": ("Fog",) if row % 3 else None})
        for row in range(rows)
    ]
    features = torch.randn(rows * images, 12, WIDTH, generator=generator)
    for index in range(len(features)):
        if described[index // images].label:
            features[index, torch.randint(12, (2,), generator=generator)] += 2 * sign
    samples = [
        Sample(row, _challenge(row), UNDISTORTED) for row in range(rows) for _ in range(images)
    ]
    return make_dataset(described, FeatureInputs(samples, features), None)


def _challenge(row: int) -> StoredChallenge:
    return StoredChallenge(
        challenge_id=f"{row:x}",
        file="a",
        position=row,
        era="E7",
        label=row % 2,
        source="real",
        parquet="a.parquet",
        row=row,
        source_id=None,
        gps=None,
        image_size=None,
        augmentation=Augmentation(),
    )


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(BackboneSettings("test_resnet", RANDOM, side=32), "cpu")


def test_it_learns_a_toy(backbone: Backbone) -> None:
    model = StreetModel(MODEL)
    course = list(Trainer(model, backbone, QUICK).epochs(toy_dataset(320, 0), toy_dataset(160, 1)))
    assert [metrics.epoch for metrics in course] == list(range(1, 13))
    assert course[-1].loss < 0.5 * course[0].loss
    assert course[-1].validation_loss < 0.5 * course[0].validation_loss
    assert course[-1].mcc > 0.8
    assert course[-1].n == 320


def weights_after(backbone: Backbone, settings: TrainSettings) -> dict[str, torch.Tensor]:
    model = StreetModel(MODEL)
    list(Trainer(model, backbone, settings).epochs(toy_dataset(40, 0), toy_dataset(20, 1)))
    return model.state_dict()


def test_a_seed_gives_the_same_weights_whatever_was_drawn_before(backbone: Backbone) -> None:
    short = replace(QUICK, epochs=2, views=7)
    state = torch.get_rng_state()
    first = weights_after(backbone, short)
    assert torch.equal(torch.get_rng_state(), state)
    torch.randn(5)
    again = weights_after(backbone, short)
    other = weights_after(backbone, replace(short, seed=1))
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["positions"], other["positions"])


class Recording(FeatureInputs):
    """Inputs that note what they were asked, and whether the model was training."""

    def __init__(self, dataset: Dataset) -> None:
        inputs = dataset.inputs
        assert isinstance(inputs, FeatureInputs)
        super().__init__(inputs.samples, inputs.features)
        self.asked: list[tuple[bool, list[int], torch.Tensor | None]] = []
        self.seen: list[torch.Tensor] = []

    def forward(
        self,
        model: StreetModel,
        indices: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        self.asked.append((model.training, list(indices), views))
        output = super().forward(model, indices, metadata, views)
        self.seen.append(output.seen)
        return output


def test_an_epoch_sees_each_row_once_and_validation_every_image(backbone: Backbone) -> None:
    training, validation = toy_dataset(70, 0), toy_dataset(20, 1)
    recording, evaluated = Recording(training), Recording(validation)
    datasets = replace(training, inputs=recording), replace(validation, inputs=evaluated)
    list(Trainer(StreetModel(MODEL), backbone, replace(QUICK, epochs=2)).epochs(*datasets))
    assert all(training for training, _, _ in recording.asked)
    assert not any(training for training, _, _ in evaluated.asked)
    assert [len(indices) for _, indices, _ in recording.asked] == [24, 23, 23] * 2
    for epoch in (recording.asked[:3], recording.asked[3:]):
        rows = [index // 2 for _, indices, _ in epoch for index in indices]
        assert sorted(rows) == list(range(70))
    orders = [
        [index for _, indices, _ in epoch for index in indices]
        for epoch in (recording.asked[:3], recording.asked[3:])
    ]
    assert orders[0] != orders[1]
    assert [p for _, indices, _ in evaluated.asked[:2] for p in indices] == list(range(40))


def test_rows_of_one_scene_come_together_and_in_the_same_image(backbone: Backbone) -> None:
    dataset = toy_dataset(70, 0)
    recording = Recording(dataset)
    paired = replace(dataset, inputs=recording, scenes=[f"scene {row // 2}" for row in range(70)])
    settings = replace(QUICK, views=5)
    list(Trainer(StreetModel(MODEL), backbone, settings).epochs(paired, toy_dataset(20, 1)))
    assert len(recording.asked) == 3 * QUICK.epochs
    numbers = set()
    for _, indices, views in recording.asked:
        assert views is not None
        assert torch.equal(views[::2], views[1::2])
        assert len({tuple(shown) for shown in views.tolist()}) > 1
        for first, second in zip(indices[::2], indices[1::2], strict=True):
            assert second // 2 == first // 2 + 1
            assert first % 2 == second % 2
            numbers.add(first % 2)
    assert numbers == {0, 1}


def test_views_are_hidden_in_training_only(backbone: Backbone) -> None:
    training, validation = Recording(toy_dataset(70, 0)), Recording(toy_dataset(20, 1))
    trainer = Trainer(StreetModel(MODEL), backbone, replace(QUICK, epochs=1))
    dataset = replace(toy_dataset(70, 0), inputs=training)
    list(trainer.epochs(dataset, replace(toy_dataset(20, 1), inputs=validation)))
    seen = torch.cat(training.seen)
    assert seen[:, 0].all()
    assert 0.05 < 1 - seen[:, 1:].float().mean() < 0.2
    assert torch.cat(validation.seen).all()


def test_a_step_may_show_some_views_only(backbone: Backbone) -> None:
    recording = Recording(toy_dataset(70, 0))
    dataset = replace(toy_dataset(70, 0), inputs=recording)
    settings = replace(QUICK, epochs=1, views=5)
    list(Trainer(StreetModel(MODEL), backbone, settings).epochs(dataset, toy_dataset(20, 1)))
    shown = [views for _, _, views in recording.asked if views is not None]
    assert len(shown) == len(recording.asked)
    for views in shown:
        assert views.shape[1] == 5
        assert (views[:, 0] == 0).all()
        assert (views.diff(dim=1) > 0).all()
    counts = np.bincount(torch.cat(shown).flatten().numpy(), minlength=12)
    assert (counts[1:] > 0).all()


def test_metadata_is_hidden_at_random_in_training(backbone: Backbone) -> None:
    """What a model is fed there is half hidden; the encoder's own test has the shares."""
    model = StreetModel(replace(MODEL, drop_metadata=0.5, drop_field=0.2))
    assert model.train().metadata.training
    list(
        Trainer(model, backbone, replace(QUICK, epochs=1)).epochs(
            toy_dataset(40, 0), toy_dataset(20, 1)
        )
    )
    assert not model.metadata.training


def test_a_loss_that_explodes_is_one_line(backbone: Backbone) -> None:
    dataset = toy_dataset(40, 0)
    inputs = dataset.inputs
    assert isinstance(inputs, FeatureInputs)
    inputs.features.fill_(torch.nan)
    with pytest.raises(RunError, match=r"loss of nan.*lower --lr"):
        list(Trainer(StreetModel(MODEL), backbone, QUICK).epochs(dataset, toy_dataset(20, 1)))


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"validation": 1.0}, {"lr": 0.0}, {"views": 13}, {"weight_decay": -1.0}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(RunError, match=next(iter(wrong))):
        TrainSettings(**wrong)  # type: ignore[arg-type]
