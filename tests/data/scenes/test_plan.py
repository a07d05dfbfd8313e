"""Planned scenes: their mixes, videos, texts and pairs."""

import ast
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
from geopy.distance import distance

from data.records.cities import CITIES
from data.scenes.draw import DAYTIMES
from data.scenes.parquet import scene_columns, scene_image
from data.scenes.plan import SceneSettings, plan_scene
from data.scenes.roadwork import PALE_KITS, plan_work_zone

SMALL = SceneSettings(seed=5, rows=20, shards=2, row_group_rows=4, size_mix=(((320, 240), 1.0),))


def test_a_pair_is_one_scene_with_a_work_zone_and_without() -> None:
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
        # all but the work zone is equal to the pixel: most of the picture
        shown = [np.asarray(scene_image(settings, scene)).astype(int) for scene in (works, none)]
        changed = np.abs(shown[0] - shown[1]).max(axis=2) > 0
        assert 0 < changed.mean() < 0.35


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


def test_plans_hold_both_sides_and_both_sorts() -> None:
    rng = np.random.default_rng(0)
    zones = [plan_work_zone(rng, pale_share=0.35) for _ in range(300)]
    assert 0.25 < np.mean([zone.kinds in PALE_KITS for zone in zones]) < 0.45
    assert {zone.side for zone in zones} == {-1, 1}
