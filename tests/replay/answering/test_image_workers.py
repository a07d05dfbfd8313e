"""Worker processes: the same images as in this process, told alike where there is none."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import RunError
from data.store import Store
from replay.answering.image_workers import ImageBuilder, PlannedImage, image_builder
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import CannotRebuildError
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay, replay
from replay.settings import ReplaySettings, VariantSettings
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

SMALL_PARTS = ReplaySettings(challenges=4)


class Mean:
    """Answers with the brightness of the image, so that each answer tells its image."""

    name, fingerprint, wants_metadata = "mean", "1", False

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))


class Blind(Mean):
    """Looks at nothing, as a candidate does whose features are all in a cache."""

    name = "blind"

    def known_keys(self, image_keys: Sequence[str]) -> Sequence[str]:
        return image_keys

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.full(len(batch.challenge_ids), 0.5))


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    made = World(store, record)
    images = [encoded(picture((320, 240), seed=k)) for k in range(4)]
    write_shard(store.sources, [*images, b"broken"])
    for k in range(9):
        made.ask(k % 5, **(LEVEL_0 if k % 2 else level_1(float(k), [0, k, 100, 100])))
    made.ask(1, **{**level_1(3.0, [5, 5, 90, 90]), "data_aug_level": 3})
    made.ask(0, source="synthetic", **LEVEL_0)
    made.ingest()
    return made


def wanted(world: World) -> list[PlannedImage]:
    planned = plan(world.ingest(), world.shards, VariantSettings(6))
    return [(item, variant) for item in planned for variant in item.variants]


def told(images: Any, count: int) -> list[Any]:
    found: list[Any] = []
    for index in range(count):
        try:
            found.append(images.image(index).tobytes())
        except CannotRebuildError as error:
            found.append((error.challenge_id, error.reason, str(error)))
    return found


def test_processes_build_the_same_images(world: World) -> None:
    images = wanted(world)
    assert len(images) > 9
    with image_builder(world.shards, 7, 1) as here:
        expected = told(here(images), len(images))
    with image_builder(world.shards, 7, 2) as there:
        # once as a stream of parts, the second one begun before the first is looked at
        first, second = there(images[:5]), there(images[5:])
        second.build_ahead()
        found = told(first, 5) + told(second, len(images) - 5)
    assert found == expected
    assert Reason.BYTES in {one[1] for one in found if isinstance(one, tuple)}


def test_a_replay_with_processes_gives_the_same_answers(world: World) -> None:
    planned = plan(world.ingest(), world.shards, VariantSettings(6))
    one = replay(world.store, Mean(), planned, world.shards, settings=SMALL_PARTS)
    parts = sorted((world.store.runs / one.run_id / "parts").iterdir())
    expected = [part.read_bytes() for part in parts]
    for part in parts[1:]:
        part.unlink()
    resumed = Replay(world.store, Mean(), PlannedRun(planned, world.shards, SMALL_PARTS))
    assert resumed.opened.done_before == 4
    done: list[int] = []
    assert resumed.run(2, done.append) == one
    assert [part.read_bytes() for part in parts] == expected
    assert done[0] == 4
    assert sum(done) == len(planned)


def test_a_candidate_that_looks_at_nothing_has_nothing_built(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an image is built")

    planned = plan(world.ingest(), world.shards)
    monkeypatch.setattr("replay.rebuilding.rebuild.Rebuilder.rebuild", refuse)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor.submit", refuse)
    report = Replay(world.store, Blind(), PlannedRun(planned, world.shards)).run(2)
    # not even the damaged image is noticed
    assert report.predicted == 10


def test_a_worker_that_dies_is_one_clear_error_and_what_was_done_is_kept(world: World) -> None:
    images = wanted(world)
    with image_builder(world.shards, 0, 2) as there:
        first = there(images[:2])
        first.image(0)
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
        with pytest.raises(RunError, match=r"worker process that died.*--workers 1"):
            told(there(images[2:]), 3)


def test_a_worker_that_dies_between_two_parts_is_the_same_error(world: World) -> None:
    images = wanted(world)
    with image_builder(world.shards, 0, 2) as there:
        there(images[:2]).image(0)
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        with pytest.raises(RunError, match=r"worker process that died.*--workers 1"):
            begin_until_noticed(there, images)


def begin_until_noticed(there: ImageBuilder, images: list[PlannedImage]) -> None:
    """Begin parts and wait for none of them: the pool notices a death on its own, some time on."""
    for _ in range(10_000):
        there(images[:1]).build_ahead()


def test_workers_do_not_outlive_a_parent_that_was_killed(world: World, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    pids = context.Queue()
    parent = context.Process(target=_hold_workers, args=(world.store.sources, pids))
    parent.start()
    children = pids.get(timeout=300)
    parent.kill()
    parent.join(timeout=300)
    for pid in children:
        _wait_for_end(pid)


def _hold_workers(sources: Path, pids: Any) -> None:
    from data.sources.shards import Shards  # noqa: PLC0415

    with image_builder(Shards(sources), 0, 2) as build:
        build([])._pool.submit(os.getpid).result()  # type: ignore[attr-defined]
        pids.put([child.pid for child in multiprocessing.active_children()])
        signal.pause()


def _wait_for_end(pid: int) -> None:
    for _ in range(3000):
        if not Path(f"/proc/{pid}").exists() or "Z" in _state(pid):
            return
        signal.sigtimedwait([], 0.1)
    raise AssertionError(f"process {pid} goes on")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_an_error_crosses_processes_as_it_was() -> None:
    error = CannotRebuildError("abc", Reason.OTHER_ROW, "another size")
    found = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own, as a process pool does)
    assert (str(found), vars(found)) == (str(error), vars(error))
