"""`ChosenFeatures` and `FeatureMaker` give the bits of a direct call, in either precision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import MemorySettings
from model.backbone.chosen_features import ChosenFeatures
from model.backbone.features import FeatureMaker, open_cache
from model.network.pruning import GLOBAL_VIEW
from model.network.settings import Precision
from model.network.view_scorer import ViewScorer
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.predictor import Image
from tests.model.backbone.random_backbones import VIT
from tests.worlds.stores import picture

KEEP = 4


@pytest.fixture(scope="module", params=["fp32", "bf16"])
def backbone(request: pytest.FixtureRequest) -> Backbone:
    precision: Precision = request.param
    return load_backbone(replace(VIT, precision=precision), "cpu")


def images() -> list[Image]:
    return [np.asarray(picture((80, 60), seed=seed)) for seed in range(3)]


def views_of(backbone: Backbone) -> torch.Tensor:
    return ViewExtractor(backbone.views).of_images(images())


def test_features_are_those_of_a_direct_call(backbone: Backbone, tmp_path: Path) -> None:
    direct = backbone(views_of(backbone).flatten(0, 1)).view(3, VIEWS, -1)
    keys = ["a", "b", "c"]
    with torch.autocast("cpu", torch.bfloat16):
        made = FeatureMaker(backbone).features(images())
        kept = FeatureMaker(backbone, open_cache(tmp_path, backbone)).features(images(), keys)
    known = FeatureMaker(backbone, open_cache(tmp_path, backbone)).features([], [])
    again = FeatureMaker(backbone, open_cache(tmp_path, backbone)).features(images(), keys)
    assert direct.dtype == torch.float32
    assert all(torch.equal(direct, features) for features in (made, kept, again))
    assert known.shape == (0, VIEWS, backbone.width)


def test_chosen_features_are_those_of_direct_calls(backbone: Backbone) -> None:
    torch.manual_seed(0)
    scorer = ViewScorer(backbone.width, VIEWS, 8)
    views = views_of(backbone)
    first = backbone(views[:, GLOBAL_VIEW])
    with torch.no_grad():
        chosen = scorer.choose(first, KEEP)
    others = torch.cat([views[image, chosen[image, 1:]] for image in range(3)])
    rest = backbone(others).view(3, KEEP - 1, -1)
    with torch.autocast("cpu", torch.bfloat16):
        features, which = ChosenFeatures(backbone, scorer, KEEP).features(images())
    assert torch.equal(which, chosen)
    assert torch.equal(features, torch.cat((first[:, None], rest), dim=1))


class Late:
    """Copies that a device has not made before they are waited for, which `events` tells."""

    def __init__(self, events: list[str], tensors: list[torch.Tensor]) -> None:
        self.events, self.copied, self.is_done = events, tensors, False
        events.append("computed")

    def done(self) -> bool:
        return self.is_done

    def tensors(self) -> list[torch.Tensor]:
        self.events.append("waited")
        return self.copied


def test_a_part_is_stored_while_the_device_computes_the_next(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    late: list[Late] = []

    def copies(tensors: list[torch.Tensor]) -> Late:
        late.append(Late(events, tensors))
        return late[-1]

    monkeypatch.setattr("model.backbone.features.CopiesFromDevice", copies)
    cache = open_cache(tmp_path, backbone)
    maker = FeatureMaker(backbone, cache, MemorySettings(most=VIEWS))
    made = maker.features(images(), ["a", "b", "c"])
    assert events == ["computed", "computed", "waited", "computed", "waited"]
    maker.store_computed()
    assert sorted(cache.get_many(["a", "b", "c"])) == ["a", "b"]
    late[2].is_done = True
    maker.store_computed()
    kept = cache.get_many(["a", "b", "c"])
    assert np.array_equal(np.stack([kept[key] for key in "abc"]), made.numpy())


def test_each_precision_has_a_cache_of_its_own(tmp_path: Path) -> None:
    paths = {
        open_cache(tmp_path, load_backbone(replace(VIT, precision=precision), "cpu")).path
        for precision in ("fp32", "bf16")
    }
    assert len(paths) == 2
