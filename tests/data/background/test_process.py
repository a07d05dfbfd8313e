"""A process of its own: it survives, is known again, is stopped, and is alone."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from data.background.identity import Identity, find, own_identity
from data.background.process import RUNNING, BackgroundProcess, State, is_start, latest, start
from data.errors import RunError, WriteError
from tests.conftest import ROOT
from tests.worlds.waiting import wait_for

WORK = "tests.data.background.work"
"""The module that is run; see there for what its arguments mean."""


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Path]:
    """The folder of starts; what a test left running is killed."""
    folder = tmp_path / "starts"
    yield folder
    for file in folder.glob("*/process.json"):
        # what a test damaged has ended
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
            written = json.loads(file.read_bytes())
            process = find(Identity(written["pid"], written["since_boot"]))
            if process is not None:
                process.kill()


def begin(starts: Path, *arguments: str) -> BackgroundProcess:
    return start(starts, WORK, lambda _folder: arguments)


def has_ended(process: BackgroundProcess) -> Callable[[], bool]:
    return lambda: process.state not in RUNNING


@pytest.mark.parametrize(
    ("ends", "status", "state"),
    [
        ("well", 0, State.DONE),
        ("badly", 3, State.FAILED),
        ("words", 1, State.FAILED),
        ("raises", 1, State.FAILED),
    ],
)
def test_how_it_ended_is_known(starts: Path, ends: str, status: int, state: State) -> None:
    process = begin(starts, ends, "; rm -rf $HOME")
    wait_for(has_ended(process))
    assert (process.status, process.state) == (status, state)
    assert process.ended is not None
    assert process.ended >= process.started
    assert process.output.read_text() == f"{ends} ; rm -rf $HOME\n"
    assert latest(starts) == process
    if ends in ("words", "raises"):
        assert "what went wrong" in process.log.read_text()


def test_it_survives_who_started_it(starts: Path) -> None:
    """Killed with its whole process group, as a server's supervisor does."""
    program = (
        "import sys, time; from pathlib import Path; from data.background.process import start\n"
        f"start(Path(sys.argv[1]), {WORK!r}, lambda _: ['sleeps']); print('on', flush=True)\n"
        "time.sleep(600)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(starts)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"on\n"
        os.killpg(server.pid, signal.SIGKILL)
    process = latest(starts)
    assert process is not None
    wait_for(lambda: "asleep" in process.log.read_text())
    assert process.state is State.RUNNING
    process.stop()
    wait_for(has_ended(process))
    assert (process.state, process.status) == (State.STOPPED, 1)


def test_it_ends_what_it_does_when_it_is_stopped(starts: Path) -> None:
    process = begin(starts, "tidies")
    wait_for(lambda: "asleep" in process.log.read_text())
    process.stop()
    assert process.state in (State.STOPPING, State.STOPPED)
    wait_for(has_ended(process))
    assert process.state is State.STOPPED
    assert "tidied" in process.log.read_text()
    process.stop()  # nothing is left to be stopped
    assert process.state is State.STOPPED


def test_what_was_killed_says_so(starts: Path) -> None:
    process = begin(starts, "sleeps")
    os.kill(process.identity.pid, signal.SIGKILL)
    wait_for(has_ended(process))
    assert (process.state, process.status, process.ended) == (State.KILLED, None, None)
    assert begin(starts, "well").folder != process.folder


def test_a_number_that_is_used_again_is_another_process(starts: Path) -> None:
    """This very process has the number: it must be neither taken for it nor stopped."""
    process = begin(starts, "well")
    wait_for(has_ended(process))
    (process.folder / "status").unlink()
    file = process.folder / "process.json"
    own = own_identity()
    written = json.loads(file.read_bytes()) | {"pid": own.pid, "since_boot": own.since_boot - 5}
    file.write_text(json.dumps(written))

    recycled = latest(starts)
    assert recycled is not None
    assert recycled.identity.pid == os.getpid()
    assert recycled.state is State.KILLED
    recycled.stop()
    assert not (recycled.folder / "stop_asked").exists()
    assert find(own) is not None


@pytest.mark.parametrize("pid", [-1, 0, 2**31, 2**80])
def test_a_number_of_no_process(pid: int) -> None:
    assert find(Identity(pid, 1.0)) is None


def test_the_clock_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells a start by the clock's time of boot, which moves with it."""
    own, boot = own_identity(), psutil.boot_time()
    monkeypatch.setattr("psutil.boot_time", lambda: boot + 3600)
    create = psutil.Process.create_time
    monkeypatch.setattr("psutil.Process.create_time", lambda self: create(self) + 3600)
    assert find(own) is not None


def test_a_second_start_says_so(starts: Path) -> None:
    first = begin(starts, "sleeps")
    with pytest.raises(RunError, match=r"found one at work since .*; expected one at a time"):
        begin(starts, "well")
    assert latest(starts) == first
    assert len(list(starts.glob("*-*"))) == 1


def test_of_two_starts_at_once_one_runs(starts: Path) -> None:
    results: list[object] = []
    gate = threading.Barrier(4)

    def try_start() -> None:
        gate.wait()
        try:
            results.append(begin(starts, "sleeps"))
        except RunError as error:
            results.append(error)

    threads = [threading.Thread(target=try_start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, BackgroundProcess) for result in results) == 1
    assert len(list(starts.glob("*/process.json"))) == 1


@pytest.mark.parametrize("content", [b"", b"[", b"null", b'{"pid": "x"}', b"[" * 100_000])
def test_damaged_files_are_no_start(starts: Path, content: bytes) -> None:
    process = begin(starts, "well")
    wait_for(has_ended(process))
    (process.folder / "process.json").write_bytes(content)
    assert latest(starts) is None
    assert begin(starts, "well").folder != process.folder


def test_old_starts_are_deleted(starts: Path) -> None:
    for number in range(30):
        (starts / f"20200101T0000{number:02}-abc").mkdir(parents=True)
    process = begin(starts, "well")
    wait_for(has_ended(process))
    kept = sorted(folder.name for folder in starts.glob("*-*"))
    assert len(kept) == 20
    assert kept[-1] == process.folder.name
    assert is_start(kept[-1])
    assert "20200101T000029-abc" in kept


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"):
        begin(tmp_path / "file" / "starts", "well")
