"""Drawn pixels: every word changes them, and colour alone does not tell roadwork."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from data.scenes.draw import DAYTIMES, ENVIRONMENTS, WEATHERS, draw_scene
from data.scenes.parquet import scene_image
from data.scenes.plan import SceneSettings, plan_scene
from data.scenes.roadwork import ORANGE_KITS, PALE_KITS, WorkZone

SMALL = SceneSettings(seed=5, rows=20, shards=2, row_group_rows=4, size_mix=(((320, 240), 1.0),))


def orange_fraction(image: Image.Image) -> float:
    """Share (0..1) of safety-orange pixels in the 224 x 224 centre crop."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    crop = image.crop((left, top, left + side, top + side)).resize((224, 224))
    hue, saturation, value = cv2.split(cv2.cvtColor(np.asarray(crop), cv2.COLOR_RGB2HSV))
    return float(((hue >= 3) & (hue <= 18) & (saturation >= 120) & (value >= 90)).mean())


def drawn(*, size: tuple[int, int] = (320, 180), **scene: Any) -> NDArray[np.uint8]:
    scene = {"works": None, **scene}
    return np.asarray(draw_scene(np.random.default_rng(3), size=size, **scene))


def same_road(kit: tuple[str, ...]) -> tuple[Image.Image, Image.Image]:
    """One road twice: with a zone that holds nothing, with one that holds `kit`."""
    zones = (WorkZone(kinds, 1, 10.0, 0.5) for kinds in ((), kit))
    empty, full = (drawn(works=zone, size=(960, 540), weather="Cloudy") for zone in zones)
    return Image.fromarray(empty), Image.fromarray(full)


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (480, 640), (64, 64), (4032, 3024)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    picture = drawn(size=size, works=WorkZone(("cones", "sign"), 1, 9.0, 0.5))
    assert picture.shape == (size[1], size[0], 3)
    assert picture.std() > 10


@pytest.mark.parametrize(
    ("field", "words"),
    [("daytime", DAYTIMES), ("weather", WEATHERS), ("environment", ENVIRONMENTS)],
)
def test_daytime_weather_and_environment_change_the_picture(
    field: str, words: tuple[str, ...]
) -> None:
    scenes: list[dict[str, Any]] = [{field: word} for word in words]
    pictures = [drawn(**scene).astype(int) for scene in scenes]
    for picture, other in pairwise(pictures):
        assert np.abs(picture - other).mean() > 4


@pytest.mark.parametrize("kit", ORANGE_KITS + PALE_KITS)
def test_a_work_zone_shows_in_the_middle_square(kit: tuple[str, ...]) -> None:
    empty, full = (np.asarray(image).astype(int)[:, 210:750] for image in same_road(kit))
    assert (np.abs(full - empty).max(axis=2) > 30).mean() > 0.001


def test_pale_zones_hold_little_orange() -> None:
    def gain(kit: tuple[str, ...]) -> float:
        empty, full = same_road(kit)
        return orange_fraction(full) - orange_fraction(empty)

    assert max(gain(kit) for kit in PALE_KITS) < 0.002
    assert min(gain(kit) for kit in ORANGE_KITS) > 0.0
    assert np.median([gain(kit) for kit in ORANGE_KITS]) > 0.002


def test_orange_alone_is_a_middling_classifier() -> None:
    settings = replace(SMALL, size_mix=(((480, 270), 1.0),))
    scenes = [plan_scene(settings, k) for k in range(220)]
    labels = np.array([scene.works is not None for scene in scenes])
    orange = np.array([orange_fraction(scene_image(settings, scene)) for scene in scenes])
    assert 0.15 < (orange[~labels] > 0.002).mean() < 0.6
    assert 0.1 < (orange[labels] < 0.001).mean() < 0.5
    cuts = np.unique(np.quantile(orange, np.linspace(0, 1, 100)))
    # MCC is the correlation of two binary variables; the last cut would leave only one class.
    best = max(float(np.corrcoef(labels, orange > cut)[0, 1]) for cut in cuts[:-1])
    assert 0.25 < best < 0.6
