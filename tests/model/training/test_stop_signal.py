"""SIGTERM, Ctrl-C and SIGKILL to a whole command, in a process group of its own."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from data.digests import file_digest
from data.sources.shards import Shards
from model.checkpoint.unfinished import unfinished_run
from model.training.stop_signal import stop_asked
from tests.model.optimization.toy import cpu_accelerator
from tests.model.training.tiny import OPTIONS, TINY
from tests.worlds.commands_in_forks import Command, run, start

STOPPED = re.compile(
    r"streetreplay: training: found asked to stop after step (\d+) of 9; "
    "start the same again: it goes on from there"
)


def words(shards: Shards, folder: Path, *more: str) -> list[str | Path]:
    """Of a training with a trained backbone and nine steps, in a store of its own."""
    places = [f"--store={folder / 'store'}", f"--out={folder / 'out'}"]
    own = ["--train-backbone=all", "--epochs=3", "--patience=3"]
    return ["train", *OPTIONS, *own, *places, f"--sources={shards.folder}", *more]


def weights(folder: Path) -> str:
    return file_digest(folder / "out" / "model.safetensors")


def assert_stopped(command: Command, folder: Path) -> int:
    """It has ended by itself, in one line, and its state is kept; the step is returned."""
    assert command.wait() == 1
    assert command.output == ""
    lines = command.errors
    assert not any("Traceback" in line for line in lines), lines
    said = STOPPED.fullmatch(lines[-1])
    assert said, lines
    assert len([line for line in lines if line.startswith("streetreplay:")]) == 1
    [run_folder] = (folder / "store" / "runs").iterdir()
    assert (run_folder / "state.pt").exists()
    assert unfinished_run(folder / "out") == run_folder.name
    return int(said[1])


def assert_none_left(command: Command) -> None:
    """No process of its group is there, after the seconds that a worker takes to notice."""
    group = command.process.pid or 0
    for _ in range(3000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("a process is left")


@pytest.fixture(scope="module")
def undisturbed(shards: Shards, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    command = run(words(shards, folder), folder / "log")
    assert command.wait() == 0, command.errors
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_stopped_training_keeps_its_state_and_goes_on_to_the_same_bits(
    shards: Shards, undisturbed: Path, tmp_path: Path, number: int
) -> None:
    command = start(words(shards, tmp_path), tmp_path / "first")
    command.wait_for(lambda: any(line.startswith("epoch 1") for line in command.errors))
    command.signal(number, group=number == signal.SIGINT)
    step = assert_stopped(command, tmp_path)
    assert 3 < step <= 9
    again = run(words(shards, tmp_path), tmp_path / "second")
    assert again.wait() == 0, again.errors
    assert any(line.startswith("going on after epoch") for line in again.errors)
    assert weights(tmp_path) == weights(undisturbed)


def test_a_stop_while_loaders_start_leaves_no_process_and_no_trace(
    shards: Shards, undisturbed: Path, tmp_path: Path
) -> None:
    with_worker = words(shards, tmp_path, "--workers=1")
    command = start(with_worker, tmp_path / "first")
    command.wait_for(lambda: any(line.startswith("rows:") for line in command.errors))
    command.wait_for(lambda: children(command))
    # as a terminal does: to all processes, of which one is still importing
    command.signal(signal.SIGINT, group=True)
    assert assert_stopped(command, tmp_path) == 1
    assert_none_left(command)
    again = run(words(shards, tmp_path), tmp_path / "second")
    assert again.wait() == 0, again.errors
    assert weights(tmp_path) == weights(undisturbed)


@pytest.mark.slow
def test_loaders_that_are_killed_or_orphaned_are_one_line_and_end(
    shards: Shards, undisturbed: Path, tmp_path: Path
) -> None:
    with_worker = words(shards, tmp_path, "--workers=1")
    command = start(with_worker, tmp_path / "first")
    command.wait_for(lambda: any(line.startswith("epoch 1") for line in command.errors))
    kept = file_digest(*(tmp_path / "store").glob("runs/*/best/model.safetensors"))
    os.kill(loader(command), signal.SIGKILL)
    assert command.wait() == 1
    assert re.search("processes that rebuild images: found one that died", command.errors[-1])
    assert not any("Traceback" in line for line in command.errors)
    assert kept == file_digest(*(tmp_path / "store").glob("runs/*/best/model.safetensors"))
    assert_none_left(command)

    command = start(with_worker, tmp_path / "second")
    command.wait_for(lambda: any(line.startswith("epoch 2") for line in command.errors))
    command.signal(signal.SIGTERM, group=True)  # as a service manager does
    assert_stopped(command, tmp_path)
    assert_none_left(command)

    command = start(with_worker, tmp_path / "third")
    command.wait_for(lambda: children(command))
    command.signal(signal.SIGKILL)
    assert command.wait() == -signal.SIGKILL
    assert_none_left(command)

    again = run(with_worker, tmp_path / "fourth")
    assert again.wait() == 0, again.errors
    assert weights(tmp_path) == weights(undisturbed)
    assert_none_left(again)


def children(command: Command) -> list[int]:
    """The processes that it has started, save multiprocessing's own."""
    task = Path(f"/proc/{command.process.pid}/task/{command.process.pid}/children")
    try:
        started = [int(pid) for pid in task.read_text().split()]
        return [
            pid for pid in started if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
    except OSError:
        return []


def loader(command: Command) -> int:
    [pid] = children(command)
    return pid


class AskedAgain(Exception):  # noqa: N818  a signal, not an error
    pass


@contextmanager
def handled_by_test(number: int) -> Iterator[None]:
    def ask(_number: int, _frame: object) -> None:
        raise AskedAgain

    before = signal.signal(number, ask)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_is_not_noted_but_obeyed(first: int, second: int) -> None:
    with handled_by_test(second), stop_asked(cpu_accelerator(TINY)) as stop:
        assert not stop()
        os.kill(os.getpid(), first)
        assert stop()
        with pytest.raises(AskedAgain):
            os.kill(os.getpid(), second)


def test_signals_are_handled_as_before_when_the_training_is_over() -> None:
    with handled_by_test(signal.SIGTERM):
        with stop_asked(cpu_accelerator(TINY)):
            pass
        with pytest.raises(AskedAgain):
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.slow
def test_twenty_kills_at_random_times_change_no_bit(
    shards: Shards, undisturbed: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    began = time.monotonic()
    whole = run(words(shards, tmp_path / "timed"), tmp_path / "timed-log")
    assert whole.wait() == 0
    lasted = time.monotonic() - began
    cut_short = 0
    for number in range(20):
        folder = tmp_path / str(number)
        command = start(words(shards, folder), tmp_path / f"{number}-first")
        time.sleep(random.uniform(0.02, 0.95) * lasted)
        if command.process.exitcode is None:
            command.signal(signal.SIGKILL)
        cut_short += command.wait() == -signal.SIGKILL
        again = run(words(shards, folder), tmp_path / f"{number}-second")
        assert again.wait() == 0, again.errors
        assert weights(folder) == weights(undisturbed)
        assert not [path for path in folder.rglob("*") if path.suffix in (".aside", ".pt")]
    assert cut_short >= 15
