"""Images by both arithmetics, whatever this machine's processor and libraries are."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from data.errors import RunError
from data.records.media_record import read_challenge
from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import StoredChallenges
from data.records.types import Origin
from data.sources.shards import Shards
from data.store import Store
from model.baselines.orange import OrangeBaseline
from replay.answering.image_workers import image_builder
from replay.augmentation import self_check
from replay.pictures.jpeg_files import RenderSettings, render
from replay.plans.plan import Planned, plan
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import Rebuilder
from replay.rebuilding.variants import UNDISTORTED
from replay.runs.run import replay
from replay.settings import Arithmetic, ReplaySettings
from streetreplay import app
from tests.conftest import ROOT, golden_records
from tests.worlds.golden_images import by_processor, golden_images, orange_answers
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

AVX2, AVX512 = Arithmetic


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def test_every_golden_image_of_level_0_and_1_is_equal_by_both_arithmetics() -> None:
    checked: Counter[str] = Counter()
    for one in golden_images():
        assert one.equal == {AVX2: True, AVX512: True}
        differing = np.count_nonzero(one.pixels[AVX2] != one.pixels[AVX512])
        assert differing == (one.values_differing or 0)
        checked[f"{one.era} {one.level}"] += 1
    assert checked == {"e7 0": 17, "e7 1": 10, "e9 0": 3, "e9 1": 5, "e5 0": 1, "e5 1": 4}


OTHER_MACHINES = {
    "MKL of AVX2": {"MKL_CBWR": "AVX2"},
    "torch for AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "torch without vectors, two threads": {"ATEN_CPU_CAPABILITY": "default", "THREADS": "2"},
    "OpenCV without AVX2 and IPP": {
        "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2",
        "OPENCV_IPP": "disabled",
    },
    "NumPy and libjpeg without vectors": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
        "JSIMD_FORCENONE": "1",
    },
}


@pytest.fixture(scope="module")
def answers_here() -> list[list[str]]:
    here = list(golden_images((1,)))
    return [orange_answers([one.pixels[each] for one in here]) for each in Arithmetic]


@pytest.mark.parametrize("machine", OTHER_MACHINES)
def test_level_1_and_answers_are_the_same_on_every_kind_of_machine(
    machine: str, answers_here: list[list[str]]
) -> None:
    environment = os.environ | OTHER_MACHINES[machine]
    done = subprocess.run(
        [sys.executable, "-m", "tests.worlds.golden_images", environment.get("THREADS", "1")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["equal"] == [{"avx2": True, "avx512": True}] * 19
    assert found["answers"] == answers_here


def test_an_answer_that_is_not_the_known_one_is_refused_in_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    self_check.check_this_machine.cache_clear()
    other = dict(self_check.KNOWN_DIGESTS) | {"OpenCV's blur": "0" * 16}
    monkeypatch.setattr(self_check, "KNOWN_DIGESTS", other)
    with pytest.raises(RunError) as raised:
        Rebuilder(world.shards)
    (line,) = str(raised.value).splitlines()
    assert line.startswith("OpenCV's blur on this machine: found an answer (")
    assert "expected 0000000000000000; install" in line


def test_every_known_answer_is_one_of_its_own() -> None:
    found = self_check.computed_digests()
    assert found == dict(self_check.KNOWN_DIGESTS)
    assert len(set(found.values())) == len(found)


def test_render_tells_of_both_arithmetics(golden: Path, tmp_path: Path) -> None:
    store = ["--store", str(tmp_path / "store")]
    log = str(golden / "e7" / "challenges.jsonl")
    assert CliRunner().invoke(app, ["ingest", log, *store]).exit_code == 0
    sources = ["--sources", str(golden / "e7" / "sources")]
    common = ["render", "--limit", "15", "--json", *store, *sources]
    found = {}
    for arithmetic in Arithmetic:
        words = [*common, "--out", str(tmp_path / arithmetic), "--arithmetic", arithmetic]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.stderr
        found[arithmetic] = [json.loads(line) for line in done.stdout.splitlines()]
    told = by_processor("e7")
    for one, other in zip(found[AVX2], found[AVX512], strict=True):
        images = len(one["files"])
        assert len(one["pixels_sha256_other"]) == len(one["values_differing"]) == images
        if images == 1:
            assert one["pixels_sha256_other"] == other["pixels_sha256"]
            assert other["pixels_sha256_other"] == one["pixels_sha256"]
            assert one["values_differing"] == other["values_differing"]
        if (want := told.get(one["position"])) is not None:
            assert one["pixels_sha256"] == [want["pixels_sha256_avx2"]]
            assert one["pixels_sha256_other"] == [want["pixels_sha256_avx512"]]
            assert one["values_differing"] == [want["values_differing"]]
    assert any(any(one["values_differing"]) for one in found[AVX2])


def test_distorted_images_are_told_of_by_both_arithmetics_too(world: World, tmp_path: Path) -> None:
    write_shard(world.store.sources, [encoded(picture((333, 517)), "PNG")])
    turned = level_1(20.0, [0, 0, 333, 333])
    for level in (1, 2, 3):
        world.ask(0, size=(333, 517), **turned | {"data_aug_level": level})
    planned = plan(world.ingest(), world.shards)
    one, other = (
        render(planned, world.shards, tmp_path / a, RenderSettings(arithmetic=a))
        for a in Arithmetic
    )
    for left, right in zip(one, other, strict=True):
        assert left.pixels_sha256_other == right.pixels_sha256
        assert right.pixels_sha256_other == left.pixels_sha256
        assert len(left.values_differing) == len(left.files)


def test_equal_keys_name_equal_pixels(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **LEVEL_0)
    world.ask(0, **level_1(9.0, [0, 0, 200, 200]))
    straight, turned = world.ingest()
    keys = {
        (challenge.augmentation.aug_level, a): ImageKeys(world.shards, 0, a).key(
            challenge, UNDISTORTED
        )
        for challenge in (straight, turned)
        for a in Arithmetic
    }
    assert keys[1, AVX2] != keys[1, AVX512]
    assert keys[0, AVX2] == keys[0, AVX512]  # nothing is turned: the processor has no part in it


def test_a_run_names_its_arithmetic_in_its_settings_and_its_id(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **level_1(9.0, [0, 0, 200, 200]))
    planned = plan(world.ingest(), world.shards)
    ids = {}
    for a in Arithmetic:
        settings = replace(ReplaySettings(), arithmetic=a)
        report = replay(world.store, OrangeBaseline(), planned, world.shards, settings=settings)
        described = json.loads((world.store.runs / report.run_id / "run.json").read_text("utf-8"))
        assert described["settings"]["arithmetic"] == a
        assert described["made_by"]["processor"]["machine"]
        assert described["made_by"]["precision"] == "float32"
        ids[a] = report.run_id
    assert ids[AVX2] != ids[AVX512]


@pytest.mark.parametrize("angle", [1e300, -361.0, float("nan")])
def test_an_angle_beyond_a_turn_is_unusable(world: World, tmp_path: Path, angle: float) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **level_1(9.0, [0, 0, 200, 200]))
    (challenge,) = world.ingest()
    wrong = replace(challenge, augmentation=replace(challenge.augmentation, angle=angle))
    (one,) = render(plan(StoredChallenges.of([wrong]), world.shards), world.shards, tmp_path)
    assert one.reason == Reason.PARAMETERS
    assert "expected at most 360 either way" in (one.detail or "")


@pytest.mark.parametrize("workers", [1, 2])
def test_images_are_built_by_the_arithmetic_wherever_they_are_built(
    golden: Path, workers: int
) -> None:
    told = by_processor("e7")
    most = max(told, key=lambda number: told[number]["values_differing"])
    challenge = golden_challenge(golden, most)
    shards = Shards(golden / "e7" / "sources")
    wanted = [(Planned(challenge, Fidelity.EXACT, (UNDISTORTED,)), UNDISTORTED)]
    expected = [Rebuilder(shards, arithmetic=a).rebuild(challenge).decoded() for a in Arithmetic]
    assert not np.array_equal(expected[0], expected[1])
    with image_builder(shards, 0, workers, AVX512) as build:
        assert np.array_equal(build(wanted).image(0), expected[1])


def golden_challenge(golden: Path, number: int) -> StoredChallenge:
    record = golden_records(golden, "e7")[number]
    read = read_challenge(record, Origin("x", 0)).challenge
    return StoredChallenge(
        challenge_id="0123456789abcdef",
        file="x",
        position=number,
        era="E7",
        label=1,
        source="real",
        parquet=read.source.parquet,
        row=read.source.row,
        source_id=None,
        gps=None,
        image_size=None,
        augmentation=read.augmentation,
    )
