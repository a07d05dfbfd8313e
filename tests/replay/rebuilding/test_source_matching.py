"""Which of several sources a record means, and when it means none of them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.store import Store
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from replay.rebuilding.variants import UNDISTORTED
from replay.runs.run import replay
from replay.settings import Arithmetic
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, picture, write_shard

SIZE = (320, 240)
PICTURES = [encoded(picture(SIZE, seed=seed), "PNG") for seed in range(4)]


class Grey:
    """Answers the mean grey of what it sees."""

    name, fingerprint, wants_metadata = "grey", "1", False

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))


STEM = SHARD.removesuffix(".parquet")


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def write(folder: Path, images: list[bytes], **columns: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": images} | columns), folder / SHARD)


def reason_of(world: World) -> Reason | None:
    (challenge,) = world.ingest()
    try:
        Rebuilder(world.shards).rebuild(challenge)
    except CannotRebuildError as error:
        return error.reason
    return None


IDS = {
    "text": pa.array(["14"]),
    "text with a point": pa.array(["14.0"]),
    "large text": pa.array(["14"], pa.large_string()),
    "text view": pa.array(["14"], pa.string_view()),
    "bytes": pa.array([b"14"]),
    "float": pa.array([14.0]),
    "decimal": pa.array([Decimal("14.00")]),
    "category": pa.array(["14"]).dictionary_encode(),
    "unsigned": pa.array([14], pa.uint8()),
    "missing": pa.array([None], pa.int64()),
    "not a number": pa.array([float("nan")]),
    "no word": pa.array(["nan"]),
}


@pytest.mark.parametrize("form", IDS)
def test_an_id_is_compared_by_value(world: World, form: str) -> None:
    write(world.store.sources, PICTURES[:1], id=IDS[form])
    world.ask(0, metadata={"id": 14}, **LEVEL_0)
    assert reason_of(world) is None


@pytest.mark.parametrize("kept", ["15", "014x", "1e1", 14.5, b"15", Decimal("14.01"), 140])
def test_another_id_is_another_row(world: World, kept: object) -> None:
    write(world.store.sources, PICTURES[:1], id=[kept])
    world.ask(0, metadata={"id": 14}, **LEVEL_0)
    assert reason_of(world) is Reason.OTHER_ROW


@pytest.mark.parametrize("right", ["a", "b"])
def test_of_two_revisions_the_one_whose_ids_fit_is_used(world: World, right: str) -> None:
    """Whichever folder it lies in; and each challenge has its own."""
    wrong = "b" if right == "a" else "a"
    write(world.store.sources / right, PICTURES[:2], id=[10, 11])
    write(world.store.sources / wrong, PICTURES[2:], id=[20, 11])
    world.ask(0, metadata={"id": 10}, **LEVEL_0)
    world.ask(0, metadata={"id": 20}, **LEVEL_0)
    first, second = world.ingest()
    rebuilder = Rebuilder(world.shards)
    found = [rebuilder.rebuild(challenge).pixels_sha256 for challenge in (first, second)]
    alone = Store(world.store.root / "alone")
    expected = []
    for images, one in ((PICTURES[:1], first), (PICTURES[2:3], second)):
        write(alone.sources, images, id=[one.source_id])
        expected.append(Rebuilder(World(alone, {}).shards).rebuild(one).pixels_sha256)
    assert found == expected
    assert len(set(found)) == 2
    keys = ImageKeys(world.shards, 0, Arithmetic.AVX2)
    assert keys.key(first, UNDISTORTED) != keys.key(second, UNDISTORTED)


def test_the_copy_that_tells_most_is_used_before_one_that_only_tells_nothing_else(
    world: World,
) -> None:
    write(world.store.sources, PICTURES[:1])
    write(world.store.sources / "whole", PICTURES[1:2], id=[14])
    world.ask(0, metadata={"id": 14}, **LEVEL_0)
    (challenge,) = world.ingest()
    shards = world.shards
    image = Rebuilder(shards).source(challenge)
    assert image.tobytes() == picture(SIZE, seed=1).tobytes()


def test_a_damaged_copy_and_one_that_lacks_the_row_do_not_hide_a_good_one(world: World) -> None:
    write(world.store.sources / "good" / "deep", PICTURES[:2], id=[0, 1])
    write(world.store.sources / "short", PICTURES[:1], id=[0])
    (world.store.sources / SHARD).write_bytes(b"PAR1 cut off")
    world.ask(1, **LEVEL_0)
    assert reason_of(world) is None


def test_where_no_copy_fits_that_is_said(world: World) -> None:
    for place, number in (("a", 1), ("b", 2)):
        write(world.store.sources / place, PICTURES[:1], id=[number])
    world.ask(0, metadata={"id": 14}, **LEVEL_0)
    (challenge,) = world.ingest()
    with pytest.raises(CannotRebuildError, match="and so does each of 2 copies") as error:
        Rebuilder(world.shards).rebuild(challenge)
    assert error.value.reason is Reason.OTHER_ROW


def test_of_two_caches_the_image_whose_json_fits_is_used(world: World) -> None:
    for folder, number in (("a", 20), ("b", 14)):
        place = world.store.sources / folder
        place.mkdir(parents=True)
        (place / f"{STEM}__image_0.png").write_bytes(PICTURES[number == 14])
        (place / f"{STEM}__image_0.json").write_text(json.dumps({"id": str(number)}))
    world.ask(0, metadata={"id": 14}, **LEVEL_0)
    (challenge,) = world.ingest()
    image = Rebuilder(world.shards).source(challenge)
    assert image.tobytes() == picture(SIZE, seed=1).tobytes()


def test_a_row_is_found_by_the_label_of_a_stored_index(world: World) -> None:
    frame = pa.table({"image": PICTURES[:3], "id": [0, 1, 2]}).to_pandas()
    frame.index = [7, 3, 5]
    world.store.sources.mkdir(parents=True)
    frame.to_parquet(world.store.sources / SHARD)
    world.ask(3, metadata={"id": 1}, **LEVEL_0)
    world.ask(0, metadata={"id": 0}, **LEVEL_0)
    challenges = world.ingest()
    named, _ = challenges
    image = Rebuilder(world.shards).source(named)
    assert image.tobytes() == picture(SIZE, seed=1).tobytes()
    _, position = plan(challenges, world.shards)
    assert position.reason is Reason.ROW_MISSING
    assert position.detail == f"row 0 of 3 in {SHARD}"


ODD = {
    "no key of bytes": pa.table({"image": [{"data": b"x", "path": "y"}]}),
    "numbers": pa.table({"image": [1]}),
    "no image": pa.table({"picture": [b"x"]}),
    "no rows": pa.table({"image": pa.array([], pa.binary())}),
    "lists": pa.table({"image": [[b"x"]]}),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_shard_is_a_reason_for_its_challenges_and_stops_nothing(
    world: World, odd: str
) -> None:
    write_shard(world.store.sources, PICTURES)
    pq.write_table(ODD[odd], world.store.sources / "odd.parquet")
    for row in range(3):
        world.ask(row, **LEVEL_0)
        world.ask(row, metadata={"source_parquet": "/cache/odd.parquet"}, **LEVEL_0)
    planned = plan(world.ingest(), world.shards)
    report = replay(world.store, Grey(), planned, world.shards)
    assert (report.selected, report.predicted) == (6, 3)
    assert sum(report.left_out.values()) == 3
    assert planned.counts()[Fidelity.EXACT] >= 3
