"""Cities that look different: off by default, to the pixel; and different enough to matter."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from data.records.cities import CITIES
from data.scenes.draw import draw_scene
from data.scenes.looks import UNLIKE_LOOK, USUAL_LOOK
from data.scenes.parquet import scene_columns, scene_image
from data.scenes.plan import SceneSettings, cities_with, plan_scene
from data.scenes.roadwork import ORANGE_KITS, PALE_KITS, WorkZone
from tests.conftest import CASES

SMALL = SceneSettings(seed=5, size_mix=(((160, 120), 1.0),))
CITY = "phoenix"
OTHER = replace(SMALL, unlike_cities=(CITY,))
# drawn by the code from before cities could look different
BEFORE = sorted((CASES / "drawn-scenes").glob("*.png"))


def pixels(settings: SceneSettings, row: int) -> NDArray[np.int16]:
    return np.asarray(scene_image(settings, plan_scene(settings, row)), np.int16)


def zone(kit: tuple[str, ...], *, look: bool, works: bool = True) -> NDArray[np.int16]:
    """A road in the middle square, with a work zone of a kit or of nothing."""
    image = draw_scene(
        np.random.default_rng(3),
        works=WorkZone(kit if works else (), 1, 10.0, 0.5),
        size=(960, 540),
        weather="Cloudy",
        look=UNLIKE_LOOK if look else USUAL_LOOK,
    )
    return np.asarray(image, np.int16)[:, 210:750]


@pytest.mark.parametrize("reference", BEFORE, ids=lambda path: path.stem)
def test_scenes_are_those_from_before_there_were_looks(reference: object) -> None:
    with Image.open(str(reference)) as image:
        expected = np.asarray(image, np.int16)
    row = int(str(reference).rpartition("-")[2].removesuffix(".png"))
    difference = np.abs(pixels(SMALL, row) - expected)
    # another processor, or build of OpenCV, may round the edge of a shape otherwise
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.001


def test_there_are_scenes_from_before_of_every_daytime() -> None:
    rows = [int(path.stem.rpartition("-")[2]) for path in BEFORE]
    assert {plan_scene(SMALL, row).video.daytime for row in rows} == {"Light", "Dark", "Twilight"}
    assert {plan_scene(SMALL, row).works is None for row in rows} == {True, False}


def test_only_the_named_city_looks_different_and_only_in_pixels() -> None:
    seen = set()
    for row in range(0, 240, 12):
        scene = plan_scene(SMALL, row)
        assert plan_scene(OTHER, row) == scene
        assert scene_columns(plan_scene(OTHER, row)) == scene_columns(scene)
        same = np.array_equal(pixels(SMALL, row), pixels(OTHER, row))
        assert same == (scene.video.city != CITY)
        seen.add(same)
    assert seen == {True, False}


@pytest.mark.parametrize("kit", ORANGE_KITS + PALE_KITS)
def test_its_works_show_and_look_unlike_the_usual_ones(kit: tuple[str, ...]) -> None:
    empty, blue = zone(kit, look=True, works=False), zone(kit, look=True)
    changed = np.abs(blue - empty).max(axis=2) > 30
    assert changed.mean() > 0.001
    usual_change = zone(kit, look=False) - zone(kit, look=False, works=False)

    def warmth(change: NDArray[np.int16]) -> float:
        """Red less blue of what the works changed, grey levels."""
        return float((change[..., 0] - change[..., 2])[np.abs(change).max(axis=2) > 30].mean())

    assert warmth(blue - empty) < warmth(usual_change) - 30


def test_its_roads_are_redder_without_works_too() -> None:
    usual, unlike = (zone((), look=look)[-120:] for look in (False, True))
    redness = [float((image[..., 0] - image[..., 2]).mean()) for image in (usual, unlike)]
    assert redness[1] > redness[0] + 25


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_city_has_the_share_of_videos_that_the_mix_says(share: float) -> None:
    settings = replace(SMALL, city_mix=cities_with(CITY, share))
    cities = [plan_scene(settings, row).video.city for row in range(0, 12 * 400, 12)]
    assert abs(np.mean([city == CITY for city in cities]) - share) < 0.08
    if share < 1:
        assert set(cities) | {CITY} == set(CITIES)


@pytest.mark.parametrize(("city", "share"), [("atlantis", 0.5), (CITY, -0.1), (CITY, 1.1)])
def test_a_mix_of_no_city_or_share_is_refused(city: str, share: float) -> None:
    with pytest.raises(ValueError, match="expected a city of CITIES"):
        cities_with(city, share)
