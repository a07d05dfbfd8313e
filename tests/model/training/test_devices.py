"""Where tensors lie, tried without a GPU: fake CUDA tensors have a device and shape, no numbers.

An operation on two devices raises on them as it does on a GPU. Numbers are `make gpu-check`'s.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model.training.dataset import Dataset, make_dataset
from model.training.inputs import FeatureInputs, ViewInputs
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from data.errors import RunError
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import ForwardCost, in_parts
from model.backbone.chosen_features import ChosenFeatures
from model.backbone.features import open_cache
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.challenge_draws import draw_samples
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.rows.training_row import TrainingRow
from model.training.losses import soft_labels, training_loss
from model.training.settings import LossSettings, TrainSettings
from model.training.trainer import Trainer
from model.views.views import ViewExtractor, ViewSettings
from replay.candidates import float32
from tests.gpu.drawn_images import draw_image, jpeg

CUDA = torch.device("cuda:0")
WIDTH = 16
MODEL = ModelSettings(WIDTH, 12, 32, 4, scorer_width=8, keep_views=5)
VIEWS = ViewSettings(32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def on_cuda(settings: ModelSettings = MODEL) -> StreetModel:
    """Made there: a module cannot be moved while its tensors are fake."""
    with CUDA:
        return StreetModel(settings)


Backbones = dict[tuple[str, bool], Backbone]
"""By timm's name, and whether frozen."""


@pytest.fixture
def backbones(monkeypatch: pytest.MonkeyPatch) -> Backbones:
    """Made before anything is fake: timm looks at numbers."""
    monkeypatch.setattr("model.backbone.batch_size.available_bytes", lambda _device: 2**40)
    chosen = product(("test_vit", "test_resnet"), (False, True))
    return {
        (name, frozen): load_backbone(
            BackboneSettings(name, RANDOM, 32, trained="none" if frozen else "all"), "cpu"
        )
        for name, frozen in chosen
    }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, backbones: Backbones) -> Iterator[FakeTensorMode]:
    # else autocast believes that there is no CUDA, which is true but not to the point
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda *_, **__: True)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


def moved(backbone: Backbone) -> Backbone:
    """The same with fake tensors on CUDA in place of its own."""
    for module in backbone.modules():
        for key, weight in module._parameters.items():
            if weight is not None:
                there = torch.empty(weight.shape, device=CUDA)
                module._parameters[key] = nn.Parameter(there, weight.requires_grad)
        for key, buffer in module._buffers.items():
            if buffer is not None:
                there = torch.empty(buffer.shape, dtype=buffer.dtype, device=CUDA)
                module._buffers[key] = there
    backbone.__dict__["cost"] = ForwardCost(0, 1)
    return backbone


def metadata(count: int) -> MetadataTensors:
    rows = [{"gps_lat": 40.0, "gps_lon": -80.0, "weather": ["Rain"]}] * count
    return metadata_tensors(rows, lambda texts: np.zeros((len(texts), 384), np.float32))


@pytest.mark.usefixtures("fake")
def test_two_devices_are_told() -> None:
    with pytest.raises(RuntimeError, match="device"):
        on_cuda().eval()(torch.empty(2, 12, WIDTH))


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("lowered", [False, True])
def test_a_step_of_the_model_stays_on_its_device(lowered: bool) -> None:
    model, features = on_cuda(), torch.empty(3, 7, WIDTH, device=CUDA)
    views = torch.arange(7, device=CUDA).expand(3, -1)
    with torch.autocast("cuda", torch.bfloat16, enabled=lowered):
        output = model(features, metadata(3).to(CUDA), views=views)
    assert output.logits.dtype == (torch.bfloat16 if lowered else torch.float32)
    weather = torch.empty(output.weather_logits.shape, device=CUDA)
    labels = soft_labels(torch.empty(3, dtype=torch.int64, device=CUDA))
    losses = training_loss(output, labels, weather)
    for loss in (*losses.by_name().values(), losses.total(LossSettings())):
        assert (loss.device, loss.dtype) == (CUDA, torch.float32)


@pytest.mark.usefixtures("fake")
def test_an_answer_of_the_model_stays_on_its_device() -> None:
    model = on_cuda().eval()
    mask = torch.empty(3, 12, dtype=torch.bool, device=CUDA)
    output = model(torch.empty(3, 12, WIDTH, device=CUDA), metadata(3).to(CUDA), mask=mask)
    assert {tensor.device for tensor in vars(output).values()} == {CUDA}


@pytest.mark.usefixtures("fake")
def test_views_of_several_sizes_are_made_on_the_device() -> None:
    images = [np.zeros((h, w, 3), np.uint8) for h, w in ((40, 50), (9, 300), (40, 50))]
    views = ViewExtractor(VIEWS).of_images_on(images, CUDA)
    assert (views.device, views.shape) == (CUDA, (3, 12, 3, 32, 32))


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("keep", [1, 4])
def test_views_are_chosen_on_the_device_and_answers_come_back(
    backbones: Backbones, keep: int
) -> None:
    backbone = moved(backbones["test_vit", True])
    model = on_cuda(replace(MODEL, features=backbone.width)).eval()
    maker = ChosenFeatures(backbone, model.scorer, keep)
    features, views = maker.features([np.zeros((50, 60, 3), np.uint8)] * 2)
    assert (features.device.type, views.device.type) == ("cpu", "cpu")
    assert features.shape == (2, keep, backbone.width)


def toy_dataset(backbone: Backbone | None) -> Dataset:
    rows = [
        TrainingRow("a.parquet", row, row % 2, (64, 48), {"weather": ("Fog",)}) for row in range(4)
    ]
    samples = [
        sample for index, row in enumerate(rows) for sample in draw_samples(row, index, 2, 0)
    ]
    if backbone is None:
        inputs: Any = FeatureInputs(samples, torch.empty(len(samples), 12, WIDTH))
    else:
        jpegs = [jpeg(draw_image(64, 48, 0, roadwork=False))] * len(samples)
        inputs = ViewInputs(samples, jpegs, backbone)
    return make_dataset(rows, inputs, metadata(len(rows)))


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("name", [None, "test_vit", "test_resnet"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_of_a_training_stays_on_its_device(
    backbones: Backbones, name: str | None, precision: Any
) -> None:
    backbone = moved(backbones[name or "test_vit", name is None])
    width = WIDTH if name is None else backbone.width
    trainer = Trainer(
        on_cuda(replace(MODEL, features=width)),
        backbone,
        TrainSettings(batch_size=4, views=5, precision=precision),
    )
    dataset = toy_dataset(None if name is None else backbone)
    optimiser = trainer.optimiser()
    indices = [0, 3, 5]
    loss = trainer.loss(dataset, indices)
    assert (loss.device, loss.dtype) == (CUDA, torch.float32)
    # autograd's engine asks the driver for the device, so gradients are made up here
    for parameter in trainer.parameters():
        parameter.grad = torch.empty_like(parameter)
    torch.nn.utils.clip_grad_norm_(trainer.parameters(), 1.0)
    optimiser.step()


def test_views_keep_float32_in_a_step_of_bfloat16() -> None:
    images = torch.randint(256, (2, 3, 50, 70), dtype=torch.uint8)
    extractor = ViewExtractor(VIEWS)
    plain = extractor.by_matrices(images)
    with torch.autocast("cpu", torch.bfloat16):
        lowered = extractor.by_matrices(images)
    assert torch.equal(plain, lowered)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "image", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8)]
)
def test_an_image_of_another_form_is_one_line_on_a_device_too(image: Any) -> None:
    with pytest.raises(RunError, match=r"expected uint8 \(H, W, 3\), not empty"):
        ViewExtractor(VIEWS).of_images_on([image], CUDA)


@pytest.fixture(scope="module")
def small() -> Backbone:
    return load_backbone(BackboneSettings("test_vit", RANDOM, side=32), "cpu")


def test_features_of_two_processors_are_kept_apart(
    small: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = open_cache(tmp_path, small).path
    assert open_cache(tmp_path, small).path == here
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "another")
    assert open_cache(tmp_path, small).path != here


def test_features_are_in_whole_float32(small: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, bool, bool]] = []
    forward = small.model.forward

    def noting(views: torch.Tensor) -> torch.Tensor:
        backends = torch.backends.cudnn
        precision = torch.get_float32_matmul_precision()
        found.append((precision, backends.allow_tf32, backends.deterministic))
        made: torch.Tensor = forward(views)
        return made

    small.features(torch.zeros(1, 3, 32, 32))  # what it costs is found out without numbers
    monkeypatch.setattr(small.model, "forward", noting)
    torch.set_float32_matmul_precision("high")
    try:
        small.features(torch.zeros(1, 3, 32, 32))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert found == [("highest", False, True)]


def test_the_processor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert float32.processor_name(torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "a GPU")
    assert float32.processor_name(CUDA) == "a GPU"


def test_memory_that_runs_out_halves_the_part() -> None:
    sizes: list[int] = []

    def forward(part: torch.Tensor) -> torch.Tensor:
        sizes.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError
        return part

    images = torch.arange(7.0)
    assert torch.equal(in_parts(forward, images, 8), images)
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]
