"""A replay killed at random moments and run again gives what one that was not killed gives."""

import contextlib
import random
import signal
import time
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.store import Store
from tests.worlds.commands_in_forks import Command, start

ANSWERS = "SELECT * FROM replay_variants ORDER BY ALL"


def start_replay(store: Store, sources: Path, output: Path, workers: int = 1) -> Command:
    options = ["--variants=2", f"--store={store.root}", f"--sources={sources}"]
    return start(["replay", "--model=orange", *options, f"--workers={workers}"], output)


def killed_and_resumed(
    tmp_path: Path, golden: Path, kills: int, seed: int, most_workers: int = 1
) -> None:
    sources, log = golden / "e7" / "sources", golden / "e7" / "challenges.jsonl"
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    for store in (whole, broken):
        ingest(store, [log])
    undisturbed = start_replay(whole, sources, tmp_path / "undisturbed")
    began = time.monotonic()
    assert undisturbed.wait() == 0
    lasted = time.monotonic() - began
    moments = random.Random(seed)  # noqa: S311
    cut_short = 0
    for number in range(kills):
        workers = moments.randint(1, most_workers)
        running = start_replay(broken, sources, tmp_path / f"killed-{number}", workers)
        time.sleep(lasted * moments.uniform(0.1, 0.95))
        with contextlib.suppress(ProcessLookupError):  # it has ended
            running.signal(signal.SIGKILL)
        cut_short += running.wait() == -signal.SIGKILL
    assert cut_short > 0
    assert start_replay(broken, sources, tmp_path / "last").wait() == 0
    expected = query(whole, ANSWERS).rows
    assert len(expected) > 400
    assert query(broken, ANSWERS).rows == expected
    assert not list(broken.root.glob("warehouse.aside*"))


def test_three_kills_change_nothing(tmp_path: Path, golden: Path) -> None:
    killed_and_resumed(tmp_path, golden, kills=3, seed=1)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path, golden: Path) -> None:
    killed_and_resumed(tmp_path, golden, kills=20, seed=2, most_workers=2)
