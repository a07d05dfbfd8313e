"""Shards of drawn scenes: the same bytes every time, in the public data set's form."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.errors import RunError
from data.scenes.parquet import SCHEMA, scene_image, scene_row, write_shards
from data.scenes.plan import SceneSettings, plan_scene
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
    reported: list[int] = []
    (path,) = write_shards(tmp_path, settings, on_progress=reported.append)
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
    assert write_shards(tmp_path, settings, on_progress=reported.append) == [path]
    assert reported == [1, 1, 2]


def test_another_seed_gives_other_pictures() -> None:
    one, other = (scene_row(replace(SMALL, seed=seed), 3)["image"] for seed in (5, 6))
    assert one != other


def test_a_scene_depends_on_its_number_alone(shards: list[Path], tmp_path: Path) -> None:
    fewer = write_shards(tmp_path, replace(MIXED, rows=3, shards=1, first_row=12))
    assert table(fewer).to_pylist() == table(shards).slice(12, 3).to_pylist()


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
