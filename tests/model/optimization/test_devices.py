"""Where tensors lie, tried without a GPU: fake CUDA tensors have a device and shape, no numbers.

An operation on two devices raises on them as it does on a GPU. Numbers are `make gpu-check`'s.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.transforms import v2

from data.errors import RunError
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import ForwardCost, in_parts
from model.backbone.chosen_features import ChosenFeatures
from model.backbone.features import open_cache
from model.backbone.settings import RANDOM, BackboneSettings, Trained
from model.datasets.batch import Batch
from model.datasets.settings import DatasetSettings
from model.metadata.tags import table_rows
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.network.settings import ModelSettings, Precision
from model.network.street_model import StreetModel
from model.optimization.batch_loss import BatchLoss
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.loss_means import LossMeans
from model.optimization.optimizer import WeightAverage, make_optimizer
from model.views.views import ViewExtractor, ViewSettings
from replay.candidates import float32

CUDA = torch.device("cuda:0")
WIDTH = 16
MODEL = ModelSettings(WIDTH, 12, 32, 4, scorer_width=8, keep_views=5)
VIEWS = ViewSettings(32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def on_cuda(settings: ModelSettings = MODEL) -> StreetModel:
    """Made there: a module cannot be moved while its tensors are fake."""
    with CUDA:
        return StreetModel(settings)


Kind = tuple[str, Trained, Precision]
"""timm's name, what of it is trained, and the precision."""

_TRAINED: list[tuple[str, Trained]] = [
    ("test_vit", "none"),
    ("test_vit", "all"),
    ("test_vit", "last"),
    ("test_vit", "adapters"),
    ("test_resnet", "all"),
]
_PRECISIONS: tuple[Precision, ...] = get_args(Precision)
KINDS: list[Kind] = [(*trained, precision) for trained in _TRAINED for precision in _PRECISIONS]


@pytest.fixture(scope="module")
def made() -> dict[Kind, Backbone]:
    """Made before anything is fake: timm looks at numbers."""
    return {
        kind: load_backbone(
            BackboneSettings(kind[0], RANDOM, 32, trained=kind[1], precision=kind[2]), "cpu"
        )
        for kind in KINDS
    }


@pytest.fixture
def backbones(made: dict[Kind, Backbone], monkeypatch: pytest.MonkeyPatch) -> dict[Kind, Backbone]:
    monkeypatch.setattr("model.backbone.batch_size.available_bytes", lambda _device: 2**40)
    return {kind: deepcopy(backbone) for kind, backbone in made.items()}


@pytest.fixture
def fake(
    monkeypatch: pytest.MonkeyPatch, backbones: dict[Kind, Backbone]
) -> Iterator[FakeTensorMode]:
    assert backbones
    real_generator = torch.Generator
    # else autocast believes that there is no CUDA, which is true but not to the point
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda *_, **__: True)
    # of timm's average, which draws from it for weights in bfloat16 only
    monkeypatch.setattr(torch, "Generator", lambda *_, **__: real_generator())
    # MixUp's share is a number, drawn on the processor
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", False)
    monkeypatch.setattr(v2.MixUp, "make_params", lambda *_: {"lam": 0.3})
    # fake ones cannot be pinned
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
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
def test_views_are_chosen_on_the_device_and_stay_there(
    backbones: dict[Kind, Backbone], keep: int
) -> None:
    backbone = moved(backbones["test_vit", "none", "fp32"])
    model = on_cuda(replace(MODEL, features=backbone.width)).eval()
    maker = ChosenFeatures(backbone, model.scorer, keep)
    features, views = maker.features([np.zeros((50, 60, 3), np.uint8)] * 2)
    assert (features.device, views.device) == (CUDA, CUDA)
    assert features.shape == (2, keep, backbone.width)


def toy_batch(inputs: torch.Tensor, rows: MetadataTensors | None) -> Batch:
    """On the processor, as a loader gives it, of 3 challenges that show 5 views."""
    return Batch(
        rows=torch.arange(3),
        inputs=inputs,
        labels=torch.tensor([0, 1, 1]),
        weather=torch.empty(3, table_rows("weather")),
        views=torch.arange(0, 10, 2).expand(3, -1),
        metadata=rows,
    )


@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")
@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_step_of_a_training_stays_on_its_device(
    backbones: dict[Kind, Backbone], kind: Kind
) -> None:
    backbone, (_, trained, precision) = moved(backbones[kind]), kind
    settings = replace(MODEL, features=backbone.width, precision=precision)
    model = FullModel(backbone, on_cuda(settings)).train()
    images = torch.empty(3, 3, 64, 48, dtype=torch.uint8)
    if trained == "none":
        batch = toy_batch(torch.empty(3, 5, backbone.width), metadata(3))
        config = TrainingConfig(dataset=DatasetSettings(mixup=0.0))
    else:
        batch, config = toy_batch(images, None), TrainingConfig(dataset=DatasetSettings(mixup=0.2))
    average, means = WeightAverage(model, 0.99), LossMeans()
    optimizer = make_optimizer(model, config.optimizer)
    parts = list(BatchLoss(config).parts(model, batch.to(CUDA), 2))
    assert [part.share for part in parts] == [1 / 3, 2 / 3]
    for part in parts:
        for loss in (*part.losses.by_name().values(), part.total):
            assert (loss.device, loss.dtype, loss.shape) == (CUDA, torch.float32, ())
    # autograd's engine asks the driver for the device, so gradients are made up here
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    assert {weight.device for weight in model.parameters()} == {CUDA}
    for weight in weights:
        weight.grad = torch.empty_like(weight)
    norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    average.update(1)
    means.add(parts)
    state = [part for of_weight in optimizer.state.values() for part in of_weight.values()]
    sums = list(means._sums.values())
    assert {tensor.device.type for tensor in means.state()["sums"].values()} == {"cpu"}
    assert {tensor.device for tensor in (norm, *state, *sums)} == {CUDA}
    assert {weight.device for weight in average.model.parameters()} == {CUDA}
    assert len(state) == 3 * len(weights)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_validation_stays_on_its_device(backbones: dict[Kind, Backbone], kind: Kind) -> None:
    backbone = moved(backbones[kind])
    settings = replace(MODEL, features=backbone.width, precision=kind[2])
    model = FullModel(backbone, on_cuda(settings)).eval()
    with torch.inference_mode():
        output = model(torch.empty(2, 3, 64, 48, dtype=torch.uint8).to(CUDA))
    assert (output.logits.device, output.logits.shape) == (CUDA, (2, 2))


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
