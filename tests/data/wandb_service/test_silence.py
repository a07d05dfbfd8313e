"""A service that is out of order: a person learns of it, and can stop."""

import os
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.wandb_service.address import ServiceAddress
from data.wandb_service.download import download_runs
from data.wandb_service.silence import telling_of_silence
from tests.data.wandb_service.stub_runs import stub_run
from tests.data.wandb_service.stub_service import StubHandler, StubService
from tests.worlds.commands_in_forks import start

SAID = (
    r"wandb://natix/streetvision: nothing came from the service for \d+ s; asking again and again, "
    r"as it may be out of order or busy; to stop, Ctrl-C: later, run the same again: it goes on "
    r"where it stopped"
)


def test_silence_is_told_again_after_twice_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.wandb_service.silence._FIRST_SECONDS", 0.1)
    told: list[float] = []
    began = time.monotonic()
    with telling_of_silence("here", lambda _: told.append(time.monotonic() - began)) as came:
        while len(told) < 3:
            time.sleep(0.01)
        assert told[0] >= 0.1
        assert told[1] >= 0.2
        assert told[2] >= 0.4
        came()
        count, began = len(told), time.monotonic()
        while len(told) == count:
            time.sleep(0.01)
        assert told[-1] >= 0.1


def test_whoever_answers_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of the test's own: it may itself be kept waiting on a busy machine."""
    now = 0.0
    monkeypatch.setattr("data.wandb_service.silence._FIRST_SECONDS", 0.1)
    monkeypatch.setattr("data.wandb_service.silence.time", SimpleNamespace(monotonic=lambda: now))
    told: list[str] = []
    with telling_of_silence("here", told.append) as came:
        for _ in range(50):
            now += 0.09
            time.sleep(0.01)
            came()
    assert told == []


@pytest.mark.parametrize("asked", ["HistoryPage", "/files/", "RunFiles"])
def test_an_outage_in_the_middle_is_told_and_outlived(
    service: StubService,
    tmp_path: Path,
    e7: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
) -> None:
    monkeypatch.setattr("data.wandb_service.silence._FIRST_SECONDS", 0.5)
    service.projects["natix", "streetvision"] = [stub_run("ab12cd34", e7[:4])]
    refusals: list[str] = []

    def down(handler: StubHandler, what: str) -> bool:
        if not what.startswith(asked) or len(refusals) == 1:
            return False
        refusals.append(what)
        handler.reply(b"down", 503)
        return True

    service.before = down
    lines: list[str] = []
    (folder,) = download_runs(
        ServiceAddress("natix", "streetvision"), tmp_path, on_run=lines.append
    )
    assert refusals
    assert any(re.fullmatch(SAID, line) for line in lines)
    assert len(list((folder / "media" / "html").iterdir())) == 4


@pytest.mark.slow
def test_a_service_that_is_out_of_order_is_told_within_half_a_minute_and_ends_with_ctrl_c(
    service: StubService, tmp_path: Path
) -> None:
    def down(handler: StubHandler, _what: str) -> bool:
        handler.reply(b"down", 503)
        return True

    service.before = down
    words: list[str | Path] = [
        "ingest",
        "wandb://natix/streetvision",
        "--store",
        tmp_path / "store",
    ]
    command = start(words, tmp_path / "output", dict(os.environ))
    began = time.monotonic()
    command.wait_for(lambda: command.errors)
    assert time.monotonic() - began < 300
    command.signal(signal.SIGINT, group=True)
    assert command.wait() == 1
    told, ended = command.errors
    assert re.fullmatch(SAID, told)
    assert ended == "streetreplay: aborted"
