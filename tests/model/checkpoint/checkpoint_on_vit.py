"""A small model on timm's test_vit, with images and what it answers, computed part by part."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from model.backbone.backbone import Backbone
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.views.views import ViewExtractor
from replay.candidates.predictor import Batch, Image, LazySequence, Predictions
from tests.worlds.stores import picture

BACKBONE = "test_vit"
SETTINGS = ModelSettings(features=64, width=32, heads=4, layers=2, prune_after=1, seed=1)
# Largest difference of probabilities and gates, as `model.checkpoint.predictor` states it.
TOLERANCE = 1e-4
# Puts the answers to the first three images at 0.13 to 0.7.
BIAS = [0.0, 18.8]


def a_model(seed: int = 0) -> StreetModel:
    """With a scorer that was moved, and answers that are not all near 0.5."""
    model = StreetModel(SETTINGS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
        last = model.head[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(3)
        last.bias.copy_(torch.tensor(BIAS))
    return model.eval()


def images(count: int) -> list[Image]:
    """Pictures of three sizes in turn."""
    sizes = ((60, 80), (200, 170), (30, 30))
    return [np.asarray(picture(sizes[index % 3], seed=index)) for index in range(count)]


def image_batch(count: int, **fields: Any) -> Batch:
    """A batch of the first images."""
    return Batch([str(index) for index in range(count)], images(count), **fields)


def image_keys_of(count: int) -> list[str]:
    """Keys of the first images in a feature cache."""
    return [f"image {index}" for index in range(count)]


def assert_same_answers(answers: Predictions, expected: Predictions) -> None:
    """Probabilities and gates differ by less than TOLERANCE."""
    np.testing.assert_allclose(answers.probability, expected.probability, rtol=0, atol=TOLERANCE)
    assert answers.gates is not None
    assert expected.gates is not None
    np.testing.assert_allclose(answers.gates, expected.gates, rtol=0, atol=TOLERANCE)


def images_not_to_be_seen(count: int) -> LazySequence[Image]:
    """Images that must not be looked at."""

    def refuse() -> Image:
        raise AssertionError

    return LazySequence([refuse] * count)


def answers_part_by_part(
    backbone: Backbone, metadata: Any = None, keep: int | None = None
) -> Predictions:
    """Answers to `image_batch(3)`, computed part by part, one image at a time."""
    model = a_model()
    probabilities, gates = [], []
    for index, image in enumerate(images(3)):
        row = None if metadata is None else metadata.rows(torch.tensor([index]))
        with torch.inference_mode():
            features = backbone(ViewExtractor(backbone.views).of_images([image])[0])[None]
            views = None if keep is None else model.scorer.choose(features[:, 0], keep)
            chosen = features if views is None else features[:, views[0]]
            output = model(chosen, row, views=views)
        probabilities.append(output.logits[0].double().softmax(0)[1].item())
        gates.append(output.gates[0].numpy())
    return Predictions(np.array(probabilities), np.stack(gates))


def count_views(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of views of each backbone forward from now on."""
    view_counts: list[int] = []
    real: Callable[[Backbone, torch.Tensor], torch.Tensor] = Backbone.forward

    def forward(self: Backbone, views: torch.Tensor) -> torch.Tensor:
        view_counts.append(len(views))
        return real(self, views)

    monkeypatch.setattr(Backbone, "forward", forward)
    return view_counts
