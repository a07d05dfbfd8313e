"""Commands in processes of their own that begin as forks of one with all imports done.

A start of Python with torch takes many seconds; the fork of one that has started takes none. Else a
fork is a process as any other: its streams are files, its environment and signals its own.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

from tests.conftest import ROOT

_PATIENCE = 600.0
"""Seconds after which a test gives up."""

_PRELOADED = (
    __name__,
    "streetreplay",
    "analytics.ingest.ingest",
    "model.training.train",
    "replay.comparing.clusters",
    "replay.comparing.with_miners",
    "replay.runs.run",
)


@dataclass
class Command:
    """A command that runs in a process group of its own; its output is in two files."""

    process: BaseProcess
    folder: Path
    seen: float = field(default_factory=time.monotonic)

    @property
    def output(self) -> str:
        """Standard output so far."""
        return (self.folder / "stdout").read_text()

    @property
    def errors(self) -> list[str]:
        """The lines of standard error so far."""
        return (self.folder / "stderr").read_text().splitlines()

    def wait(self) -> int:
        """The exit status, once it has ended: negative for a signal's."""
        self.process.join(_PATIENCE)
        if self.process.exitcode is None:
            self.kill()
            raise TimeoutError(f"still running after {_PATIENCE} s: {self.errors}")
        return self.process.exitcode

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until something holds, while the command runs."""
        while not condition():
            if self.process.exitcode is not None or time.monotonic() - self.seen > _PATIENCE:
                raise TimeoutError(f"status {self.process.exitcode}: {self.errors}")
            time.sleep(0.005)

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the process, or to all of its group, as a terminal does."""
        pid = self.process.pid or 0
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)

    def kill(self) -> None:
        """End it and all that it started."""
        self.signal(signal.SIGKILL, group=True)
        self.process.join()


def start(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str | None] = {}
) -> Command:
    """Start a command in the project's folder, with the environment of this process and more.

    Args:
        words: of the command, without `streetreplay`.
        folder: is made, and gets its output.
        environment: what is other than here; a variable of None is removed.
    """
    folder.mkdir()
    for name in ("stdout", "stderr"):
        (folder / name).touch()
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    whole = {name: value for name, value in (os.environ | environment).items() if value is not None}
    process = context.Process(target=_run, args=([str(word) for word in words], folder, whole))
    process.start()
    command = Command(process, folder)
    command.wait_for((folder / "started").exists)
    return command


def run(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str | None] = {}
) -> Command:
    """Run a command to its end."""
    command = start(words, folder, environment)
    command.wait()
    return command


def completed(
    words: Sequence[str | Path], environment: Mapping[str, str | None] = {}
) -> CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does with captured text."""
    with tempfile.TemporaryDirectory() as folder:
        command = run(words, Path(folder) / "output", environment)
        errors = (command.folder / "stderr").read_text()
        return CompletedProcess(words, command.wait(), command.output, errors)


def _run(words: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    os.setpgid(0, 0)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_APPEND), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    (folder / "started").touch()
    sys.argv = ["streetreplay", *words]
    import streetreplay  # noqa: PLC0415

    streetreplay.main()
