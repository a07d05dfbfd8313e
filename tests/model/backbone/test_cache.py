import multiprocessing
import os
import sqlite3
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import RunError, StoreError
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import MemorySettings
from model.backbone.cache import FeatureCache, FeatureCacheSettings, Features
from model.backbone.features import FeatureMaker, open_cache
from model.backbone.settings import RANDOM, BackboneSettings
from model.views.views import ViewExtractor
from replay.candidates.predictor import Image, LazySequence
from tests.model.backbone.cache_processes import SHAPE, crash, some, write

ENTRY = 4 * SHAPE[0] * SHAPE[1]


def same(found: dict[str, Features], expected: dict[str, Features]) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[key], expected[key]) for key in found
    )


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, notes: list[str]) -> FeatureCache:
    return FeatureCache(tmp_path, "weights", SHAPE, notes.append)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 50), unique=True), st.lists(st.integers(0, 50)))
def test_what_was_put_comes_back_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, put: list[int], asked: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    FeatureCache(folder, "weights", SHAPE).put_many(some(*put))
    keys = [f"key {seed}" for seed in asked]
    found = FeatureCache(folder, "weights", SHAPE).get_many(keys)
    assert same(found, some(*(set(put) & set(asked))))
    assert FeatureCache(folder, "weights", SHAPE).keys_among(keys) == found.keys()


def test_every_bit_is_kept(cache: FeatureCache) -> None:
    odd = np.zeros(SHAPE, np.float32)
    odd[0, :5] = np.nan, np.inf, -0.0, 1e-45, np.nextafter(np.float32(1), np.float32(2))
    cache.put_many({"odd": odd})
    assert cache.get_many(["odd"])["odd"].tobytes() == odd.tobytes()


def test_putting_again_replaces(cache: FeatureCache) -> None:
    cache.put_many(some(1, 2))
    cache.put_many({"key 1": some(3)["key 3"]})
    assert np.array_equal(cache.get_many(["key 1"])["key 1"], some(3)["key 3"])
    assert len(cache) == 2


def test_other_weights_and_shapes_are_other_caches(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put_many(some(1))
    assert not FeatureCache(tmp_path, "others", SHAPE).get_many(["key 1"])
    assert not FeatureCache(tmp_path, "weights", (12, 4)).get_many(["key 1"])


def test_many_images_are_one_file(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put_many(some(*range(500)))
    assert same(cache.get_many([f"key {seed}" for seed in range(500)]), some(*range(500)))
    assert {path.name for path in tmp_path.iterdir()} <= {cache.path.name, "features.lock"}


@pytest.mark.parametrize("wrong", [np.zeros((12, 9), np.float32), np.zeros(SHAPE, np.float64)])
def test_features_of_another_form_are_refused(cache: FeatureCache, wrong: Features) -> None:
    with pytest.raises(StoreError, match=r"expected float32 \(12, 8\)"):
        cache.put_many(some(1) | {"x": wrong})
    assert len(cache) == 0


def test_a_damaged_entry_is_dropped_and_told(cache: FeatureCache, notes: list[str]) -> None:
    cache.put_many(some(1, 2, 3))
    connection = sqlite3.connect(cache.path)
    value = bytearray(some(2)["key 2"].tobytes())
    value[7] ^= 1
    connection.execute("UPDATE features SET value = ? WHERE key = 'key 2'", [bytes(value)])
    connection.execute("UPDATE features SET value = x'00' WHERE key = 'key 3'")
    connection.commit()
    connection.close()
    assert same(cache.get_many(["key 1", "key 2", "key 3"]), some(1))
    assert notes == [f"2 damaged entries dropped from {cache.path}"]
    cache.put_many(some(2))
    assert same(cache.get_many(["key 2"]), some(2))
    assert len(cache) == 2


@pytest.mark.parametrize("damage", ["overwritten", "cut"])
def test_a_damaged_file_begins_anew(cache: FeatureCache, notes: list[str], damage: str) -> None:
    cache.put_many(some(*range(200)))
    raw = cache.path.read_bytes()
    cache.path.write_bytes(raw[: len(raw) // 2] if damage == "cut" else b"\x07" * len(raw))
    assert not cache.get_many([f"key {seed}" for seed in range(200)])
    assert len(notes) == 1
    assert "damaged and begins anew" in notes[0]
    cache.put_many(some(1))
    assert same(cache.get_many(["key 1"]), some(1))


def test_a_crash_leaves_all_or_nothing(cache: FeatureCache) -> None:
    cache.put_many(some(1))
    process = multiprocessing.get_context("spawn").Process(target=crash, args=(cache.path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert same(cache.get_many(["key 1", "torn"]), some(1))


def test_two_processes_may_write_at_once(cache: FeatureCache, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(tmp_path, first)) for first in (0, 10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert same(cache.get_many([f"key {seed}" for seed in range(20)]), some(*range(20)))


def test_a_cache_that_cannot_be_used_says_so_and_fails_nothing(
    cache: FeatureCache, notes: list[str]
) -> None:
    cache.path.mkdir()
    cache.put_many(some(1))
    assert not cache.get_many(["key 1"])
    assert len(notes) == 1
    assert "is not used" in notes[0]


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "w", SHAPE, settings=FeatureCacheSettings(10 * ENTRY))
    for seed in range(25):
        cache.put_many(some(seed))
    found = cache.get_many([f"key {seed}" for seed in range(25)])
    assert same(found, some(*range(15, 25)))


def test_caches_unused_longest_make_room(tmp_path: Path) -> None:
    small = FeatureCacheSettings(60_000)
    names = ("old", "new", "own")
    old, new, own = (FeatureCache(tmp_path, name, SHAPE, settings=small) for name in names)
    old.put_many(some(1))
    new.put_many(some(*range(40)))
    os.utime(old.path, (1, 1))
    for seed in range(60):
        own.put_many(some(seed))
    assert not old.path.exists()
    assert len(own) > 20
    assert sum(path.stat().st_size for path in tmp_path.glob("*.sqlite")) < 2 * 60_000


# --- through views and backbone


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(BackboneSettings("test_resnet", RANDOM, side=32), "cpu")


class Looked:
    """Images that note which of them were built."""

    def __init__(self, count: int) -> None:
        self.built: list[int] = []
        self.images = LazySequence([partial(self._build, place) for place in range(count)])

    def _build(self, place: int) -> Image:
        self.built.append(place)
        size = (20 + place, 30, 3)
        return np.random.default_rng(place).integers(0, 256, size, dtype=np.uint8)


def test_a_hit_builds_nothing(backbone: Backbone, tmp_path: Path) -> None:
    cache = open_cache(tmp_path, backbone)
    maker = FeatureMaker(backbone, cache, MemorySettings(most=36))
    keys = ["a", "b", "c", "d", "e"]
    first, again, grown = Looked(5), Looked(5), Looked(6)
    made = maker.features(first.images, keys)
    assert sorted(first.built) == [0, 1, 2, 3, 4]
    assert torch.equal(maker.features(again.images, keys), made)
    assert again.built == []
    more = maker.features(grown.images, ["e", "f", "a", "b", "c", "d"])
    assert grown.built == [1]
    assert torch.equal(more[2:], made[:4])


def test_features_are_those_of_each_view(backbone: Backbone) -> None:
    looked = Looked(3)
    found = FeatureMaker(backbone).features(looked.images)
    assert found.shape == (3, 12, backbone.width)
    views = ViewExtractor(backbone.views).of_images([looked.images[1]])[0]
    torch.testing.assert_close(found[1], backbone(views), rtol=1e-5, atol=1e-5)


def test_equal_keys_are_built_once(backbone: Backbone, tmp_path: Path) -> None:
    looked = Looked(3)
    maker = FeatureMaker(backbone, open_cache(tmp_path, backbone))
    found = maker.features(looked.images, ["x", "y", "x"])
    assert len(looked.built) == 2
    assert torch.equal(found[0], found[2])


def test_what_was_done_before_an_error_is_kept(backbone: Backbone, tmp_path: Path) -> None:
    maker = FeatureMaker(backbone, open_cache(tmp_path, backbone), MemorySettings(most=12))
    good = Looked(2)

    def fail() -> Image:
        raise KeyboardInterrupt

    images = LazySequence([lambda: good.images[0], lambda: good.images[1], fail])
    with pytest.raises(KeyboardInterrupt):
        maker.features(images, ["a", "b", "c"])
    again = Looked(2)
    maker.features(again.images, ["a", "b"])
    assert again.built == []


def test_other_weights_and_sides_do_not_share_features(tmp_path: Path) -> None:
    paths = {
        open_cache(tmp_path, load_backbone(one, "cpu")).path
        for one in (
            BackboneSettings("test_resnet", RANDOM, side=32),
            BackboneSettings("test_resnet", RANDOM, side=48),
            BackboneSettings("test_resnet", RANDOM, side=32, seed=1),
        )
    }
    assert len(paths) == 3


def test_a_backbone_in_training_has_no_cache(tmp_path: Path) -> None:
    trained = load_backbone(BackboneSettings("test_resnet", RANDOM, 32, trained="all"), "cpu")
    with pytest.raises(RunError, match="expected a frozen one"):
        open_cache(tmp_path, trained)
    found = FeatureMaker(trained).features(Looked(1).images)
    assert found.isfinite().all()
