"""A command in a process of its own, which goes on when the process that started it ends.

All that is known of it is in files, so that any process sees it. Each start has a folder:
`process.json` says what runs, `log.txt` holds standard error, `output.txt` standard output,
`stop_asked` is there once it was asked to end, and `status` is the exit status. What has neither a
status nor a running process was killed.
"""

import json
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import psutil

from data.atomic_files import make_folder, write_atomic, write_error
from data.background.identity import Identity, find
from data.errors import RunError
from data.file_lock import locked

_ROOT = Path(__file__).parents[2]
_RECORDED = "data.background.recorded"
_PROCESS, _STATUS, _STOP_ASKED = "process.json", "status", "stop_asked"
_LOG, _OUTPUT = "log.txt", "output.txt"

_KEPT = 20
_START_LOCK = "start.lock"
_START = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")

_START_SECONDS = 120.0
_LOOK_SECONDS = 0.02


class State(StrEnum):
    """How a process stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    KILLED = "killed"


RUNNING = (State.RUNNING, State.STOPPING)
"""The states of a process that is still there."""


@dataclass(frozen=True)
class BackgroundProcess:
    """A process that was started: its folder, the command's arguments, and which process it is."""

    folder: Path
    arguments: tuple[str, ...]
    started: datetime
    identity: Identity

    @property
    def log(self) -> Path:
        """What it wrote to standard error."""
        return self.folder / _LOG

    @property
    def output(self) -> Path:
        """What it wrote to standard output."""
        return self.folder / _OUTPUT

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs, and where it was killed."""
        try:
            return int((self.folder / _STATUS).read_text("ascii"))
        except (OSError, ValueError):
            return None

    @property
    def ended(self) -> datetime | None:
        """When it wrote its exit status, UTC."""
        try:
            return datetime.fromtimestamp((self.folder / _STATUS).stat().st_mtime, UTC)
        except OSError:
            return None

    @property
    def state(self) -> State:
        """How it stands now."""
        asked = (self.folder / _STOP_ASKED).exists()
        # looked at first: what ends between two looks has a status at the second
        if self.status is None and find(self.identity) is not None:
            return State.STOPPING if asked else State.RUNNING
        if self.status is None:
            return State.KILLED
        if self.status == 0:
            return State.DONE
        return State.STOPPED if asked else State.FAILED

    def stop(self) -> None:
        """Ask it to end (SIGTERM); nothing happens where it has ended.

        Raises:
            WriteError: its folder cannot be written; it was not asked then.
        """
        process = find(self.identity)
        if process is None or self.status is not None:
            return
        write_atomic(self.folder / _STOP_ASKED, b"")
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            return


def start(
    starts: Path,
    module: str,
    make_arguments: Callable[[Path], Sequence[str]],
) -> BackgroundProcess:
    """Run a module in a process of its own, if none of the same folder runs.

    Args:
        starts: the folder of all starts, one of which is at work at a time; old ones are deleted.
        module: as in `python -m`.
        make_arguments: from the start's own folder, where it may put files, to the module's
            arguments.

    Returns:
        The process, once it runs.

    Raises:
        RunError: one is at work, or it did not start.
        WriteError: the folder cannot be written.
    """
    with locked(starts / _START_LOCK, f"start in {starts}", found="another start"):
        present = latest(starts)
        if present is not None and present.state in RUNNING:
            raise RunError(
                f"start in {starts}",
                found=f"one at work since {present.started:%Y-%m-%d %H:%M:%S} UTC",
                expected="one at a time",
                remedy="wait until it is done, or stop it",
            )
        _delete_old(starts)
        folder = starts / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        make_folder(folder)
        arguments = make_arguments(folder)
        return _wait_for_start(folder, _spawn(folder, module, arguments))


def is_start(name: str) -> bool:
    """Whether it is the name of a start's folder, which means nothing to another machine."""
    return _START.fullmatch(name) is not None


def latest(starts: Path) -> BackgroundProcess | None:
    """The last start of a folder, however it stands; None if there was none."""
    for folder in sorted(starts.glob("*-*"), reverse=True):
        if (found := _read(folder)) is not None:
            return found
    return None


def _spawn(folder: Path, module: str, arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    # -m puts the working directory first on the path: the same code as this process's
    command = [sys.executable, "-u", "-m", _RECORDED, str(folder.resolve()), module, *arguments]
    try:
        with (folder / _LOG).open("wb") as log, (folder / _OUTPUT).open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (no shell, and nothing that a person typed)
                command,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,  # a signal to this process's group is none to it
            )
    except OSError as error:
        raise write_error(folder, error) from error
    # who has ended stays in the system's table until somebody waits
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _wait_for_start(folder: Path, process: "subprocess.Popen[bytes]") -> BackgroundProcess:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        gone = process.poll() is not None
        if (found := _read(folder)) is not None:
            return found
        if gone:
            break
        time.sleep(_LOOK_SECONDS)
    raise RunError(
        f"start in {folder}",
        found="a process that did not begin",
        expected="one that runs",
        remedy=f"look into {folder / _LOG}",
    )


def _read(folder: Path) -> BackgroundProcess | None:
    """The process of a start's folder; None if it did not begin, or the file is damaged."""
    try:
        written = json.loads((folder / _PROCESS).read_bytes())
        return BackgroundProcess(
            folder=folder,
            arguments=tuple(map(str, written["arguments"])),
            started=datetime.fromisoformat(written["started"]),
            identity=Identity(int(written["pid"]), float(written["since_boot"])),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def record_start(folder: Path, arguments: Sequence[str], identity: Identity) -> None:
    """Write who runs: done by the process itself, so that it is known whoever started it ends.

    Raises:
        WriteError: the folder cannot be written.
    """
    written = {
        "pid": identity.pid,
        "since_boot": identity.since_boot,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "arguments": list(arguments),
    }
    write_atomic(folder / _PROCESS, json.dumps(written, indent=1).encode())


def record_status(folder: Path, status: int) -> None:
    """Write how it ended.

    Raises:
        WriteError: the folder cannot be written.
    """
    write_atomic(folder / _STATUS, str(status).encode())


def _delete_old(starts: Path) -> None:
    for folder in sorted(starts.glob("*-*"), reverse=True)[_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
