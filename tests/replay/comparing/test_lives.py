"""A candidate beside miners whom several validators asked: each log has windows of its own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import streetreplay
from analytics.comparison.bootstrap import BootstrapSettings
from analytics.comparison.paired_answers import Challenges
from analytics.ingest.ingest import ingest
from analytics.lives.order import Choice
from analytics.warehouse.connection import reading
from data.store import Store
from replay.comparing.results import Comparison, Score
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.worlds.audit_logs import write_lines
from tests.worlds.replays import publish_replay
from tests.worlds.simulated_logs import simulated_log

Json = dict[str, Any]
FIRST, SECOND = "life-1", "life-2"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two validators' logs in turns, in files whose names are in no order, about the same uids."""
    folder = tmp_path_factory.mktemp("two")
    first, second = (one_hotkey_a_uid(simulated_log(seed, "E7", 240, uids=40)) for seed in (3, 4))
    store = Store(folder / "store")
    for place, name in enumerate(("c", "a", "d", "b")):
        whose = (first, second)[place % 2]
        part = slice(0, 120) if place < 2 else slice(120, 240)
        ingest(store, [write_lines(folder / f"{place // 2}{name}.jsonl", whose[part])])
    return answered(store)


def one_hotkey_a_uid(records: list[Json]) -> list[Json]:
    """The same miners for every validator."""
    for record in records:
        record["miner_hotkeys"] = [f"5Miner{uid}" for uid in record["miner_uids"]]
    return records


def answered(store: Store) -> Store:
    """With a replay whose answers hang on the challenge alone."""
    with reading(store) as connection:
        ids = connection.execute("SELECT challenge_id FROM media").fetchall()
    publish_replay(
        store, {challenge_id: int(challenge_id[:6], 16) / 0xFFFFFF for (challenge_id,) in ids}
    )
    return store


def compared(store: Store, choice: Choice = Choice()) -> Comparison:
    settings = CompareSettings(BootstrapSettings(draws=100))
    with reading(store) as connection:
        return compare_with_miners(connection, "latest", settings, choice=choice)


def test_each_life_gives_what_it_gives_alone(two: Store, tmp_path: Path) -> None:
    joint = compared(two)
    assert [(life.name, life.challenges) for life in joint.lives] == [(FIRST, 240), (SECOND, 240)]
    alone: dict[str, Comparison] = {}
    # a validator whom no run names is numbered by its first file's name
    for name, seed in ((FIRST, 4), (SECOND, 3)):
        own = Store(tmp_path / name)
        records = one_hotkey_a_uid(simulated_log(seed, "E7", 240, uids=40))
        ingest(own, [write_lines(tmp_path / f"{name}.jsonl", records)])
        alone[name] = compared(answered(own))
        chosen = compared(two, Choice(name))
        assert chosen.candidate == alone[name].candidate
        assert [vars(m) | {"lives": [], "left_out": {}} for m in chosen.miners] == [
            vars(m) | {"lives": [], "left_out": {}} for m in alone[name].miners
        ]
        assert (chosen.ranks, chosen.shift) == (alone[name].ranks, alone[name].shift)
        assert chosen.left_out == {"of another validator or run": 240}
    scores = {
        (miner.uid, name): (miner.score, miner.candidate)
        for name, comparison in alone.items()
        for miner in comparison.miners
    }
    for miner in joint.miners:
        for life in miner.lives:
            assert (life.score, life.candidate) == scores[miner.uid, life.life]
        for side in ("score", "candidate"):
            assert_put_together(getattr(miner, side), [getattr(life, side) for life in miner.lives])
    assert len(scores) == sum(len(miner.lives) for miner in joint.miners)
    assert_put_together(joint.candidate, [comparison.candidate for comparison in alone.values()])


def assert_put_together(total: Score, parts: list[Score]) -> None:
    """Answers and rewards count together; of EMAs it is the mean by challenges asked."""
    n, asked = [part.n for part in parts], [part.asked for part in parts]
    assert (total.n, total.asked) == (sum(n), sum(asked))
    assert total.accuracy == pytest.approx(
        np.average(
            [part.accuracy for part in parts if part.n], weights=[count for count in n if count]
        )
    )
    for name in ("reward", "ema", "mean_ema"):
        values = [getattr(part, name) for part in parts]
        assert getattr(total, name) == pytest.approx(np.average(values, weights=asked)), name


def test_the_earlier_part_is_that_of_each_life(two: Store) -> None:
    joint = compared(two)
    assert (joint.earlier, joint.later) == (240, 240)
    count = 7
    lives = np.array([0, 0, 0, 0, 5, 5, 5], np.int32)
    ones, labels = np.ones(count), np.zeros(count, np.int8)
    challenges = Challenges(labels, lives, labels, np.arange(count + 1), ones, ones, lives)
    assert challenges.earlier(0.5).tolist() == [True, True, False, False, True, True, False]


def run(store: Store, *words: str) -> Any:
    return CliRunner().invoke(streetreplay.app, [*words, "--store", str(store.root)])


def test_commands_choose_a_validator_and_say_whose_log_it_was(two: Store) -> None:
    text = " ".join(run(two, "compare", "--draws", "100").stdout.split())
    assert "2 validators' lives: life-1 (240 challenges), life-2 (240 challenges)" in text
    assert "windows and EMA are each one's own" in text
    chosen = ("--validator", SECOND)
    found = json.loads(run(two, "compare", "--draws", "100", "--json", *chosen).stdout)
    assert [life["name"] for life in found["lives"]] == [SECOND]
    report = json.loads(run(two, "miners", "--json", *chosen).stdout)
    assert (report["counts"]["challenges"], report["lives"][0]["challenges"]) == (240, 240)
    assert "one validator's life: life-2 (240 challenges)" in run(two, "audit", *chosen).stdout
    assert "240 challenges" in run(two, "replay", "--model", "orange", *chosen).stderr


@pytest.mark.parametrize("command", ["compare", "miners", "audit"])
def test_another_validator_is_one_clear_line(two: Store, command: str) -> None:
    for words in (("--validator", "5Nobody"), ("--log-run", "none")):
        failed = run(two, command, *words)
        assert failed.exit_code != 0
        assert "found no challenge of it in this store; expected" in str(failed.exception)
