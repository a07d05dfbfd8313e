"""Rendered challenges: their lists, names and sizes."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.store import Store
from replay.pictures.jpeg_files import RenderSettings, render
from replay.plans.plan import plan
from replay.settings import VariantSettings
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, level_1, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def sent(pixels: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def test_rendering_all_variants_of_level_3_gives_parallel_lists(
    world: World, tmp_path: Path
) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)))])
    keys = level_1(3.0, [0, 0, 200, 200]) | {"data_aug_level": 3}
    world.ask(0, **keys)
    planned = plan(world.ingest(), world.shards, VariantSettings(count=None))
    (one,) = render(planned, world.shards, tmp_path / "out")
    count = len(one.files)
    assert len(one.pixels_sha256) == len(one.jpeg_sha256) == count
    assert len(one.weights) == len(one.noisy) == count
    assert 162 < count <= 243
    assert sum(one.noisy) == 162
    assert sum(one.weights) == pytest.approx(1.0)
    assert len(set(one.pixels_sha256)) == len(set(one.files)) == count
    first = Path(one.files[0]).read_bytes()
    (again,) = render(planned, world.shards, tmp_path / "again")
    assert again.jpeg_sha256 == one.jpeg_sha256
    assert Path(again.files[0]).read_bytes() == first


def test_another_size_shows_what_miners_could_not_see_and_says_so(
    world: World, tmp_path: Path
) -> None:
    write_shard(world.store.sources, [encoded(picture((1000, 800)), "PNG")])
    for level in (1, 3):
        world.ask(0, size=(1000, 800), **level_1(0.0, [0, 0, 448, 448]) | {"data_aug_level": level})
    planned = plan(world.ingest(), world.shards)
    rendered = render(planned, world.shards, tmp_path / "out", RenderSettings(side=448))
    for one in rendered:
        assert (one.fidelity, len(one.files)) == ("unseen", 1)
        assert one.files[0].endswith(f"{one.challenge_id}-unseen-448.jpg")
        with Image.open(one.files[0]) as image:
            assert image.size == (448, 448)
    # nothing is turned or shrunk here, so the crop is the source's own pixels
    sides = picture((1000, 800)).crop((0, 0, 448, 448))
    assert rendered[0].pixels_sha256 == [sent(np.asarray(sides))]


def test_possible_images_of_an_earlier_render_do_not_stay(
    store: Store, record: dict[str, Any], tmp_path: Path
) -> None:
    world, out = World(store, record), tmp_path / "out"
    write_shard(store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **{**level_1(3.0, [5, 5, 90, 90]), "data_aug_level": 3})
    world.ask(0, **LEVEL_0)
    challenges = world.ingest()
    distorted = challenges[0].challenge_id
    out.mkdir()
    others = ["notes.txt", "holiday.jpg", f"{distorted}-mine.jpg", f"{distorted}-unseen-448.jpg"]
    for name in others:
        (out / name).touch()
    for count in (9, 3, 1, 2):
        planned = plan(challenges, world.shards, VariantSettings(count))
        rendered = render(planned, world.shards, out)
        written = [Path(file).name for one in rendered for file in one.files]
        assert sorted(path.name for path in out.iterdir()) == sorted([*others, *written])
    # what cannot be rendered takes nothing away
    (store.sources / SHARD).unlink()
    render(plan(challenges, world.shards), world.shards, out)
    assert len(list(out.iterdir())) == len(others) + 3
