"""Damaged parts of a run: known by the end of their files, else when they are published."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data.errors import RunError
from data.store import Store
from replay.candidates.description import describe
from replay.plans.plan import Plan, plan
from replay.runs.open_run import OpenRun
from replay.runs.planned_run import PlannedRun
from replay.runs.run import replay
from replay.runs.run_folder import RunFolder
from replay.settings import ReplaySettings
from tests.replay.runs.brightness import Brightness, stored_predictions
from tests.worlds.stores import LEVEL_0, World, encoded, picture, write_shard

SMALL_PARTS = ReplaySettings(challenges=4)


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    """Eight challenges of eight rows of one shard."""
    made = World(store, record)
    write_shard(store.sources, [encoded(picture((64, 48), seed=k)) for k in range(8)])
    for k in range(8):
        made.ask(k, size=(64, 48), **LEVEL_0)
    return made


def planned(world: World) -> Plan:
    return plan(world.ingest(), world.shards)


def replayed(world: World, candidate: Brightness | None = None) -> None:
    chosen = candidate or Brightness()
    replay(world.store, chosen, planned(world), world.shards, settings=SMALL_PARTS)


def damaged(content: bytes, how: str) -> bytes:
    """A Parquet file of which a power failure, or a disk, kept something else."""
    match how:
        case "empty":
            return b""
        case "cut":
            return content[:-20]
        case "zeros":
            return bytes(len(content))
        case "footer":
            return (
                content[: len(content) // 2]
                + bytes(len(content) - len(content) // 2 - 8)
                + content[-8:]
            )
    raise ValueError(how)


@pytest.mark.parametrize("how", ["empty", "cut", "zeros", "footer"])
def test_a_damaged_part_is_predicted_again_and_no_other(world: World, how: str) -> None:
    replayed(world)
    before = stored_predictions(world.store)
    part = next(world.store.runs.rglob("part-00001.parquet"))
    whole = part.read_bytes()
    part.write_bytes(damaged(whole, how))
    again = Brightness()
    replayed(world, again)
    assert [len(batch) for batch in again.asked] == [SMALL_PARTS.challenges]
    assert part.read_bytes() == whole
    assert stored_predictions(world.store) == before


def test_a_part_with_a_damaged_page_is_deleted_and_the_remedy_works(world: World) -> None:
    replayed(world)
    before = stored_predictions(world.store)
    part = next(world.store.runs.rglob("part-00001.parquet"))
    whole = part.read_bytes()
    ids = whole.index(stored_ids(part)[0].encode())
    part.write_bytes(whole[:ids] + b"x" + whole[ids + 1 :])
    with pytest.raises(RunError, match=r"part-00001.* damaged .*run the same again"):
        replayed(world)
    assert not part.exists()
    assert stored_predictions(world.store) == before
    replayed(world)
    assert part.read_bytes() == whole


def stored_ids(part: Path) -> list[str]:
    ids: list[str] = pq.ParquetFile(part).read()["challenge_id"].to_pylist()
    return ids


def test_a_run_with_unanswered_challenges_is_read_by_its_files_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(0, source="synthetic", **LEVEL_0)
    replayed(world)

    def refuse(_run: RunFolder, index: int) -> None:
        raise AssertionError(index)

    monkeypatch.setattr(RunFolder, "unanswered", refuse)
    opened = OpenRun(
        world.store, describe(Brightness()), PlannedRun(planned(world), world.shards, SMALL_PARTS)
    )
    assert opened.done_before == len(planned(world))
