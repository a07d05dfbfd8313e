"""The fidelity of a plan, and the reasons why there is no image."""

from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.settings import VariantSettings
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, level_1, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def test_a_plan_says_what_cannot_be_had_and_why(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **LEVEL_0)
    world.ask(0, source="synthetic", **LEVEL_0)
    world.ask(0, source="api", **LEVEL_0)
    world.ask(9, **LEVEL_0)
    world.ask(0, metadata={"source_parquet": "/x/train-00009-of-00026.parquet"}, **LEVEL_0)
    world.ask(0, metadata={"source_parquet": "../../etc/passwd"}, **LEVEL_0)
    world.ask(0, data_aug_level=1, data_aug_params={})
    world.ask(0, data_aug_level=2, data_aug_params=level_1(0.0, [0, 0, 9, 9])["data_aug_params"])
    planned = plan(world.ingest(), world.shards)
    assert [item.reason for item in planned] == [
        None,
        Reason.SYNTHETIC,
        Reason.API,
        Reason.ROW_MISSING,
        Reason.SHARD_MISSING,
        Reason.UNNAMED,
        Reason.PARAMETERS,
        None,
    ]
    assert [item.fidelity for item in planned][-1] is Fidelity.DISTRIBUTION
    assert sum(planned.counts().values()) == len(planned)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"x" * 1000])
def test_a_damaged_shard_is_impossible_not_a_crash(world: World, content: bytes) -> None:
    world.store.sources.mkdir(parents=True)
    (world.store.sources / SHARD).write_bytes(content)
    world.ask(0, **LEVEL_0)
    (item,) = plan(world.ingest(), world.shards)
    assert (item.fidelity, item.reason) == (Fidelity.IMPOSSIBLE, Reason.BYTES)
    assert item.detail


def test_a_log_cannot_name_a_shard_outside_the_folder(world: World, tmp_path: Path) -> None:
    write_shard(tmp_path / "elsewhere", [encoded(picture((320, 240)))])
    world.store.sources.mkdir(parents=True)
    hostile = f"../../elsewhere/{SHARD}"
    world.ask(0, metadata={"source_parquet": hostile}, **LEVEL_0)
    (item,) = plan(world.ingest(), world.shards)
    assert item.reason is Reason.SHARD_MISSING


def test_one_variant_of_a_distorted_challenge_is_never_called_exact(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **level_1(3.0, [0, 0, 200, 200]) | {"data_aug_level": 2})
    challenges = world.ingest()
    drawn = set()
    for seed in range(60):
        (item,) = plan(challenges, world.shards, VariantSettings(count=1, seed=seed))
        assert item.fidelity is Fidelity.DISTRIBUTION
        drawn.add(item.variants[0].index)
    # the undistorted one among them
    assert drawn == set(range(8))
