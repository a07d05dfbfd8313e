"""A worker's parts are those of one process, and it refuses what would make them others."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.errors import RunError, SourceError
from data.store import Store
from replay.answering.part_work import PartAnswer, PartWork
from replay.candidates.registry import LoadSettings
from replay.cluster.worker import PartWorker, WorkerSettings, replay_environment, source_rows
from replay.plans.plan import Plan, plan
from replay.runs.open_run import OpenRun
from replay.runs.planned_run import PlannedRun
from replay.runs.run import replay
from replay.settings import ReplaySettings, VariantSettings
from tests.conftest import ROOT
from tests.replay.runs.brightness import Brightness, stored_predictions
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

SMALL_PARTS = ReplaySettings(challenges=3)
SIZE = (64, 48)
CANDIDATE = "tests.replay.runs.brightness:Brightness"


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    made = World(store, record)
    write_shard(store.sources, [*(encoded(picture(SIZE, seed=k)) for k in range(4)), b"broken"])
    for k in range(10):
        strong = {**level_1(float(k), [0, k, 20, 20]), "data_aug_level": 3}
        made.ask(k % 5, size=SIZE, **(LEVEL_0 if k % 2 else strong))
    made.ask(0, source="synthetic", **LEVEL_0)
    return made


@pytest.fixture
def settings(world: World, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    monkeypatch.chdir(ROOT)  # a worker goes to another folder
    return WorkerSettings(
        candidate=CANDIDATE,
        load=LoadSettings(),
        sources=str(world.store.sources),
        working_folder=str(ROOT),
        seed=SMALL_PARTS.seed,
        arithmetic=SMALL_PARTS.arithmetic,
    )


def planned(world: World) -> Plan:
    return plan(world.ingest(), world.shards, VariantSettings(4))


def sources(world: World, work: PartWork) -> dict[str, str]:
    return world.shards.fingerprints(source_rows(work))


def planned_run(world: World) -> PlannedRun:
    return PlannedRun(planned(world), world.shards, SMALL_PARTS)


def second_part(world: World, settings: WorkerSettings) -> PartWork:
    """Of a run that is open; its first challenge has images."""
    candidate = PartWorker(settings).description().candidate
    with OpenRun(world.store, candidate, planned_run(world)) as run:
        _, part, *_ = run.work()
    assert part.challenges[0].variants
    return part


def test_two_workers_answer_as_one_process_does(world: World, settings: WorkerSettings) -> None:
    workers = [PartWorker(settings), PartWorker(replace(settings, processes=2))]
    described = workers[0].description()
    assert described.environment == replay_environment()
    assert described.candidate.name == "brightness"
    with OpenRun(world.store, described.candidate, planned_run(world)) as run:
        answers = [
            PartAnswer(work.index, workers[work.index % 2].answer(work, sources(world, work)))
            for work in run.work()
        ]
        assert len(answers) == 4
        # one is answered twice, as when a worker was thought dead
        report = run.finish([*reversed(answers), answers[0]], lambda _: None)
    parallel = stored_predictions(world.store)
    other = Store(world.store.root.parent / "another")
    shutil.copytree(world.store.sources, other.sources)
    world.store = other
    candidate = Brightness(fingerprint=described.candidate.fingerprint)
    one = replay(other, candidate, planned(world), world.shards, settings=SMALL_PARTS)
    assert one == report
    assert stored_predictions(other) == parallel


def test_a_source_that_this_node_lacks_or_has_otherwise_is_refused(
    world: World, settings: WorkerSettings, tmp_path: Path
) -> None:
    work = second_part(world, settings)
    wanted = sources(world, work)
    here = tmp_path / "this node's"
    here.mkdir()
    elsewhere = replace(settings, sources=str(here))
    with pytest.raises(SourceError, match=r"found no .*\.parquet; expected those of the plan"):
        PartWorker(elsewhere).answer(work, wanted)
    write_shard(here, [encoded(picture(SIZE, seed=9))] * 5)
    with pytest.raises(SourceError, match=r"found another .*\.parquet"):
        PartWorker(elsewhere).answer(work, wanted)
    with pytest.raises(SourceError, match="no such folder"):
        PartWorker(replace(settings, sources=str(tmp_path / "nowhere")))
    with pytest.raises(RunError, match="no module 'unheard'"):
        PartWorker(replace(settings, candidate="unheard:Of"))


def test_a_cached_image_that_only_this_node_has_is_refused(
    world: World, settings: WorkerSettings, tmp_path: Path
) -> None:
    work = second_part(world, settings)
    wanted = sources(world, work)
    here = shutil.copytree(world.store.sources, tmp_path / "this node's")
    challenge = work.challenges[0].challenge
    stem = f"{str(challenge.parquet).removesuffix('.parquet')}__image_{challenge.row}"
    (here / f"{stem}.jpeg").write_bytes(encoded(picture(SIZE, seed=9)))
    with pytest.raises(SourceError, match="found cached images, too; expected those of the plan"):
        PartWorker(replace(settings, sources=str(here))).answer(work, wanted)
