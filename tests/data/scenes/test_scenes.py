"""Drawn scenes: the same bytes every time, the public data set's form, no shortcut by colour."""

import ast
import io
import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from geopy.distance import distance
from numpy.typing import NDArray
from PIL import Image

from data.errors import RunError
from data.records.cities import CITIES
from data.scenes.draw import DAYTIMES, ENVIRONMENTS, WEATHERS, draw_scene
from data.scenes.parquet import SCHEMA, scene_columns, scene_image, scene_row, write_shards
from data.scenes.plan import SceneSettings, plan_scene
from data.scenes.roadwork import ORANGE_KITS, PALE_KITS, WorkZone, plan_work_zone
from tests.conftest import GOLDEN

SMALL = SceneSettings(seed=5, rows=20, shards=2, row_group_rows=4, size_mix=(((320, 240), 1.0),))
MIXED = replace(
    SMALL,
    format_mix=(
        (("jpeg", "RGB"), 1.0),
        (("png", "RGB"), 1.0),
        (("jpeg", "L"), 1.0),
        (("png", "L"), 1.0),
        (("png", "RGBA"), 1.0),
    ),
)


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


def table(paths: list[Path]) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in paths])


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_shards(tmp_path_factory.mktemp("shards"), MIXED, workers=2)


def dies(_settings: SceneSettings, _row: int) -> None:
    os._exit(1)


def test_a_process_that_dies_is_one_line_and_leaves_no_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.scenes.parquet.scene_row", dies)
    with pytest.raises(RunError, match=r"^drawing scenes: found a worker process that died"):
        write_shards(tmp_path, SMALL, workers=2)
    assert not list(tmp_path.iterdir())


def test_same_seed_gives_the_same_bytes_whatever_the_workers(
    shards: list[Path], tmp_path: Path
) -> None:
    again = write_shards(tmp_path, MIXED, workers=1)
    assert [path.name for path in again] == [path.name for path in shards]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in shards]


def test_shards_of_the_same_drawing_are_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(MIXED, rows=2, shards=1)
    told: list[int] = []
    (path,) = write_shards(tmp_path, settings, on_progress=told.append)
    before = path.read_bytes()
    write_shards(tmp_path, replace(settings, seed=settings.seed + 1))
    other = path.read_bytes()
    assert other != before
    write_shards(tmp_path, settings)
    assert path.read_bytes() == before
    path.write_bytes(before[:-20])
    write_shards(tmp_path, settings)
    assert path.read_bytes() == before
    monkeypatch.setattr("data.scenes.parquet.scene_row", None)
    assert write_shards(tmp_path, settings, on_progress=told.append) == [path]
    assert told == [1, 1, 2]


def test_another_seed_gives_other_pictures() -> None:
    one, other = (scene_row(replace(SMALL, seed=seed), 3)["image"] for seed in (5, 6))
    assert one != other


def test_a_scene_depends_on_its_number_alone(shards: list[Path], tmp_path: Path) -> None:
    fewer = write_shards(tmp_path, replace(MIXED, rows=3, shards=1, first_row=12))
    assert table(fewer).to_pylist() == table(shards).slice(12, 3).to_pylist()


def test_twins_are_one_scene_with_works_and_without() -> None:
    settings = replace(SMALL, paired=True, format_mix=((("png", "RGB"), 1.0),))
    for row in range(0, 12, 2):
        works, none = (plan_scene(settings, k) for k in (row, row + 1))
        assert (works.row, none.row) == (row, row + 1)
        assert works.works is not None
        assert none.works is None
        assert (works.video, works.frame_index, works.size) == (
            none.video,
            none.frame_index,
            none.size,
        )
        one, other = (scene_columns(scene) for scene in (works, none))
        assert one["video_info.frame_id"] == other["video_info.frame_id"]
        assert (one["label"], other["label"]) == (1, 0)
        # all but the works is alike, to the pixel: most of the picture
        shown = [np.asarray(scene_image(settings, scene)).astype(int) for scene in (works, none)]
        changed = np.abs(shown[0] - shown[1]).max(axis=2) > 0
        assert 0 < changed.mean() < 0.35


def test_shards_are_named_cut_into_row_groups_and_whole(shards: list[Path]) -> None:
    assert [path.name for path in shards] == [
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    groups = [pq.ParquetFile(path).metadata for path in shards]
    assert [[g.row_group(i).num_rows for i in range(g.num_row_groups)] for g in groups] == [
        [4, 4, 2],
        [4, 4, 2],
    ]
    assert sorted(shards[0].parent.iterdir()) == shards


def test_a_failure_leaves_no_shard(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write mode RGBA"):
        write_shards(tmp_path, replace(SMALL, format_mix=((("jpeg", "RGBA"), 1.0),)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "settings",
    [replace(SMALL, rows=0), replace(SMALL, shards=0), replace(SMALL, row_group_rows=0)],
)
def test_nothing_to_draw_is_refused(settings: SceneSettings, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        write_shards(tmp_path, settings)


@pytest.mark.parametrize("era", ["e5", "e7", "e9"])
def test_schema_is_that_of_the_golden_parquet(era: str, shards: list[Path]) -> None:
    (golden,) = (GOLDEN / era / "sources").glob("*.parquet")
    assert pq.read_schema(golden).metadata is None
    # beside the same columns, a drawn shard says what drew it
    drawn = pq.read_schema(shards[0])
    assert set(drawn.metadata) == {b"streetreplay.drawn"}
    assert drawn.remove_metadata().equals(pq.read_schema(golden), check_metadata=True)
    assert drawn.equals(SCHEMA)


def test_images_decode_as_their_row_says(shards: list[Path]) -> None:
    seen = set()
    for row in table(shards).to_pylist():
        image = Image.open(io.BytesIO(row["image"]["bytes"]))
        image.load()
        assert image.size == (row["width"], row["height"])
        assert row["image"]["path"] == f"{row['id']:05d}.{str(image.format).lower()}"
        seen.add((str(image.format).lower(), image.mode))
    assert seen == {value for value, _ in MIXED.format_mix}


def test_alpha_does_not_touch_the_colours() -> None:
    settings = replace(SMALL, format_mix=((("png", "RGBA"), 1.0),))
    cell = scene_row(settings, 0)["image"]
    assert isinstance(cell, dict)
    stored = Image.open(io.BytesIO(cell["bytes"]))
    plain = scene_image(settings, plan_scene(settings, 0))
    assert np.array_equal(np.asarray(stored)[..., :3], np.asarray(plain))
    assert stored.getchannel("A").getextrema() != (255, 255)


def test_descriptions_tell_the_label_as_in_the_real_data_set() -> None:
    rows = [scene_columns(plan_scene(SMALL, k)) for k in range(400)]
    assert all((row["scene_description"] is None) == (row["label"] == 0) for row in rows)
    assert 160 < sum(row["label"] == 1 for row in rows) < 240
    for column in ("daytime", "scene_environment", "weather"):
        tags = [row[f"scene_level_tags.{column}"] for row in rows if row["label"] == 0]
        assert 0.7 < sum(tag is None for tag in tags) / len(tags) < 1.0
    daytimes = {row["scene_level_tags.daytime"] for row in rows}
    assert daytimes >= {*DAYTIMES, "Unknown", None}


def test_texts_have_the_data_sets_forms() -> None:
    rows = [scene_columns(plan_scene(SMALL, k)) for k in range(400)]
    for row in rows:
        for column in ("travel_alteration", "weather"):
            text = row[f"scene_level_tags.{column}"]
            assert text is None or isinstance(ast.literal_eval(str(text)), list)
        gps = row["gps"]
        assert gps is None or re.fullmatch(r"\[-?\d+\.\d{8}, -?\d+\.\d{8}\]", str(gps))
        assert re.fullmatch(r"\d{5}\.jpg", str(row["video_info.frame_id"]))
        assert re.fullmatch(r"[0-9a-f]{32}", str(row["video_info.vid_id"]))
    gps_known = [row["gps"] is not None for row in rows]
    assert any(gps_known)
    assert not all(gps_known)
    alterations = {row["scene_level_tags.travel_alteration"] for row in rows}
    assert alterations >= {"[]", "['Partially Blocked']", "['Lane Shift', 'Partially Blocked']"}


def test_rows_of_a_video_share_their_city_and_lie_close() -> None:
    scenes = [plan_scene(SMALL, k) for k in range(600)]
    assert {scene.video.city for scene in scenes} == set(CITIES)
    near = [scene for scene in scenes if scene.gps is not None]
    centres = [distance(s.gps, CITIES[s.video.city]).km for s in near]
    assert 4 < np.mean(centres) < 12
    assert max(centres) < 40
    steps = [
        distance(a.gps, b.gps).m
        for a, b in pairwise(near)
        if a.video == b.video and b.row == a.row + 1
    ]
    assert 10 < np.mean(steps) < 70
    assert max(steps) < 90
    mixed = {s.video.vid_id for s in scenes if s.works} & {
        s.video.vid_id for s in scenes if not s.works
    }
    assert len(mixed) > 0.7 * len({s.video.vid_id for s in scenes})


def test_sizes_and_formats_follow_their_mix() -> None:
    settings = SceneSettings()
    scenes = [plan_scene(settings, k) for k in range(2000)]
    for size, share in settings.size_mix:
        assert abs(np.mean([s.size == size for s in scenes]) - share) < 0.04
    for form, share in settings.format_mix:
        assert abs(np.mean([(s.image_format, s.mode) == form for s in scenes]) - share) < 0.02
    big = [s for s in scenes if s.size == (4032, 3024)]
    assert big
    assert all(s.image_format == "jpeg" for s in big)


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
    for one, other in pairwise(pictures):
        assert np.abs(one - other).mean() > 4


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


def test_plans_hold_both_sides_and_both_sorts() -> None:
    rng = np.random.default_rng(0)
    zones = [plan_work_zone(rng, pale_share=0.35) for _ in range(300)]
    assert 0.25 < np.mean([zone.kinds in PALE_KITS for zone in zones]) < 0.45
    assert {zone.side for zone in zones} == {-1, 1}
