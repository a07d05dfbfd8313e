"""A replay killed at random moments and run again gives what one that was not killed gives."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analytics.queries.user_sql import query
from analytics.warehouse.ingest import ingest
from data.store import Store
from tests.conftest import ROOT

ANSWERS = "SELECT * FROM replay_variants ORDER BY ALL"


def start(store: Store, sources: Path, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streetreplay", "replay", "--model", "orange"]
    options = ["--variants", "2", "--store", str(store.root), "--sources", str(sources)]
    quiet = subprocess.DEVNULL
    options += ["--workers", str(workers)]
    return subprocess.Popen([*command, *options], cwd=ROOT, stdout=quiet, stderr=quiet)


def killed_and_resumed(
    tmp_path: Path, golden: Path, kills: int, seed: int, most_workers: int = 1
) -> None:
    sources, log = golden / "e7" / "sources", golden / "e7" / "challenges.jsonl"
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    for store in (whole, broken):
        ingest(store, [log])
    began = time.monotonic()
    assert start(whole, sources).wait() == 0
    lasted = time.monotonic() - began
    moments = random.Random(seed)  # noqa: S311
    cut_short = 0
    for _ in range(kills):
        running = start(broken, sources, moments.randint(1, most_workers))
        time.sleep(lasted * moments.uniform(0.3, 0.95))
        os.kill(running.pid, signal.SIGKILL)
        cut_short += running.wait() == -signal.SIGKILL
    assert cut_short > 0
    assert start(broken, sources).wait() == 0
    expected = query(whole, ANSWERS).rows
    assert len(expected) > 400
    assert query(broken, ANSWERS).rows == expected
    assert not list(broken.root.glob("warehouse.aside*"))


def test_three_kills_change_nothing(tmp_path: Path, golden: Path) -> None:
    killed_and_resumed(tmp_path, golden, kills=3, seed=1)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path, golden: Path) -> None:
    killed_and_resumed(tmp_path, golden, kills=20, seed=2, most_workers=2)
