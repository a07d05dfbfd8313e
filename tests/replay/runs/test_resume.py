"""A run's folder opened again: what is done, what is tried again, and what is refused."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from analytics.queries.user_sql import query
from data.errors import RunError
from data.store import Store
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import Plan, plan
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay, replay
from replay.settings import ReplaySettings
from tests.replay.runs.brightness import Brightness, stored_predictions
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, level_1, picture, write_shard

SMALL_PARTS = ReplaySettings(challenges=4)


def small(seed: int) -> bytes:
    return encoded(picture((64, 48), seed=seed))


def write_plainly(folder: Path, images: list[bytes]) -> Path:
    """A shard in which images lie as they are, so that one can be damaged in its place."""
    shard = write_shard(folder, images)
    pq.write_table(pq.read_table(shard), shard, compression="none", use_dictionary=False)
    return shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    """Eight challenges of eight rows of one shard."""
    made = World(store, record)
    write_plainly(store.sources, [small(k) for k in range(8)])
    for k in range(8):
        made.ask(k, size=(64, 48), **LEVEL_0)
    made.ingest()
    return made


def planned(world: World) -> Plan:
    return plan(world.ingest(), world.shards)


def spoil(shard: Path, image: bytes) -> bytes:
    """Damage an image where it lies, as a bad disk does: size and footer stay. What was before."""
    before = shard.read_bytes()
    middle = image[20:-20]
    assert middle in before
    shard.write_bytes(before.replace(middle, bytes(len(middle)), 1))
    return before


def run(world: World, candidate: Brightness) -> dict[str, int]:
    report = replay(world.store, candidate, planned(world), world.shards, settings=SMALL_PARTS)
    return report.left_out


def test_rows_of_a_mended_shard_are_tried_again_and_the_others_kept(world: World) -> None:
    run(world, Brightness(fingerprint="whole"))
    expected = stored_predictions(world.store)
    whole = spoil(world.store.sources / SHARD, small(2))
    assert run(world, Brightness()) == {Reason.BYTES: 1}
    unmended = Brightness()
    assert run(world, unmended) == {Reason.BYTES: 1}
    assert unmended.asked == []
    (world.store.sources / SHARD).write_bytes(whole)
    mended = Brightness()
    assert run(world, mended) == {}
    assert [len(batch) for batch in mended.asked] == [1]
    found = query(
        world.store,
        "SELECT p.* EXCLUDE (run_id) FROM replay_predictions AS p JOIN replay_runs AS r "
        "USING (run_id) WHERE r.settings ->> '$.model_fingerprint' = '1' ORDER BY ALL",
    ).rows
    assert found == expected
    folders = [path.parent for path in world.store.runs.rglob("run.json")]
    assert len(folders) == 2
    first, second = ([p.read_bytes() for p in sorted(f.rglob("part-*"))] for f in folders)
    assert first == second


def test_the_remedy_of_a_replay_without_an_image_works(world: World) -> None:
    shard = world.store.sources / SHARD
    whole = shard.read_bytes()
    challenges = planned(world)[2:3]
    spoil(shard, small(2))
    with pytest.raises(RunError, match=r"bytes unreadable 1.*mend the sources.*replay again"):
        replay(world.store, Brightness(), challenges, world.shards)
    shard.write_bytes(whole)
    assert replay(world.store, Brightness(), challenges, world.shards).predicted == 1


@pytest.mark.parametrize("content", [b"", b'{"run_id": "re', b"[1]", b"{}", b"\xff\xfe"])
def test_a_damaged_description_is_written_again(world: World, content: bytes) -> None:
    first = replay(world.store, Brightness(), planned(world), world.shards)
    file = world.store.runs / first.run_id / "run.json"
    before = json.loads(file.read_bytes())
    file.write_bytes(content)
    assert replay(world.store, Brightness(), planned(world), world.shards) == first
    after = json.loads(file.read_bytes())
    assert after.keys() == before.keys()
    assert after["plan_sha256"] == before["plan_sha256"]


def test_two_at_one_run_are_told_apart(world: World) -> None:
    first = Replay(world.store, Brightness(), PlannedRun(planned(world), world.shards))
    with pytest.raises(RunError, match=r"another process that works on this very run.*wait"):
        Replay(world.store, Brightness(), PlannedRun(planned(world), world.shards))
    other = Replay(
        world.store, Brightness(fingerprint="2"), PlannedRun(planned(world), world.shards)
    )
    assert first.run().predicted == other.run().predicted == 8
    assert replay(world.store, Brightness(), planned(world), world.shards).predicted == 8


def test_a_fresh_run_starts_over(world: World) -> None:
    replay(world.store, Brightness(), planned(world), world.shards)
    again = Brightness()
    opened = Replay(world.store, again, PlannedRun(planned(world), world.shards, fresh=True))
    assert opened.opened.done_before == 0
    assert opened.run().predicted == 8
    assert len(again.asked) == 1
    assert not list(world.store.runs.rglob("*.old"))


def test_the_description_says_how_to_run_again_and_who_went_on(world: World) -> None:
    class Dies(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            if self.asked:
                raise KeyboardInterrupt
            return super().predict(batch)

    asked = {"selection": {"eras": ["E7"], "sample": 8}, "variants": {"count": 16, "seed": 0}}
    first = Replay(
        world.store, Dies(), PlannedRun(planned(world), world.shards, SMALL_PARTS, asked=asked)
    )
    with pytest.raises(KeyboardInterrupt):
        first.run()
    report = replay(world.store, Brightness(), planned(world), world.shards, settings=SMALL_PARTS)
    replay(world.store, Brightness(), planned(world), world.shards, settings=SMALL_PARTS)
    described = json.loads((world.store.runs / report.run_id / "run.json").read_bytes())
    made_by, resumed = described["made_by"], described["resumed"]
    assert made_by["asked"] == asked
    assert made_by["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"torch", "duckdb", "transformers", "numba"} <= made_by["versions"].keys()
    assert len(resumed) == 1  # the third run had nothing left to do
    assert resumed[0]["at"] >= made_by["at"]
    assert resumed[0].keys() == made_by.keys()


@pytest.mark.parametrize("bad", [range(0, 32), range(1, 64, 2), [63], range(64)])
def test_a_bad_image_costs_itself(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch, bad: Any
) -> None:
    world = World(store, record)
    rows = [b"broken" if k in bad else encoded(picture((16, 12), seed=k)) for k in range(64)]
    write_shard(store.sources, rows)
    for k in range(64):
        world.ask(k, size=(16, 12), **LEVEL_0)
    rebuilt: list[str] = []
    looked: list[int] = []
    rebuild = Rebuilder.rebuild

    def counted(self: Rebuilder, challenge: Any, *more: Any) -> Any:
        rebuilt.append(challenge.challenge_id)
        return rebuild(self, challenge, *more)

    class Looks(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            for image in batch.images:
                looked.append(image.size)
            return super().predict(batch)

    monkeypatch.setattr(Rebuilder, "rebuild", counted)
    everything = planned(world)
    good = 64 - len(bad)
    if good:
        assert replay(store, Looks(), everything, world.shards).predicted == good
    else:
        with pytest.raises(RunError, match="bytes unreadable 64"):
            replay(store, Looks(), everything, world.shards)
    assert len(rebuilt) == 64
    assert len(looked) == good


def test_a_bad_source_is_read_once_for_all_its_possible_images(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shard(world.store.sources, [b"broken", *(small(k) for k in range(1, 8))])
    world.ask(0, size=(64, 48), **{**level_1(3.0, [5, 5, 40, 40]), "data_aug_level": 3})
    rebuilt: list[str] = []
    rebuild = Rebuilder.rebuild

    def counted(self: Rebuilder, challenge: Any, *more: Any) -> Any:
        rebuilt.append(challenge.challenge_id)
        return rebuild(self, challenge, *more)

    monkeypatch.setattr(Rebuilder, "rebuild", counted)
    everything = plan(world.ingest(), world.shards)
    assert sum(len(item.variants) for item in everything) == 8 + 16
    replay(world.store, Brightness(), everything, world.shards)
    assert len(rebuilt) == 9


def test_a_candidate_that_hides_the_failure_is_asked_again(world: World) -> None:
    class Hides(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            try:
                return super().predict(batch)
            except CannotRebuildError:
                return Predictions(np.zeros(len(batch.images)))

    spoil(world.store.sources / SHARD, small(2))
    assert replay(world.store, Hides(), planned(world), world.shards).predicted == 7
    assert all(row[1] for row in stored_predictions(world.store) if row[1] is not None)


def test_a_candidate_that_rewords_the_failure_does_not_end_the_forecast(world: World) -> None:
    class Rewords(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            try:
                return super().predict(batch)
            except CannotRebuildError:
                raise RunError("predict of mine", found="no luck", expected="an answer") from None

    write_shard(world.store.sources, [*[b"broken"] * 7, small(7)])
    opened = Replay(world.store, Rewords(), PlannedRun(planned(world), world.shards))
    assert opened.forecast().images == 8
    assert opened.run().predicted == 1


def test_what_is_known_of_a_row_is_no_answer_to_a_record_of_another(world: World) -> None:
    """Both name the same row of the shard, and nothing of level 0 tells them apart but its id."""
    known: dict[str, float] = {}

    class Remembers(Brightness):
        def predict(self, batch: Batch) -> Predictions:
            assert batch.image_keys is not None
            for place, key in enumerate(batch.image_keys):
                if key not in known:
                    known[key] = batch.images[place].mean() / 255
            return Predictions(np.array([known[key] for key in batch.image_keys]))

    world.ask(2, size=(64, 48), metadata={"id": 99}, **LEVEL_0)
    expected = {Reason.OTHER_ROW: 1}
    assert run(world, Remembers()) == expected
    assert run(world, Remembers(fingerprint="2")) == expected
