"""`--store s3://...` against a local server: machines that share a store, and every error."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pyarrow.parquet as pq
import pytest

from analytics.miners.background import start_report
from data.background.process import RUNNING, State
from data.remote_store.working_copy import COPIES_VARIABLE
from data.store import STORE_VARIABLE, Store
from tests.conftest import GOLDEN
from tests.data.sources.s3_server import S3Server, environment, free_port, line_to, s3_server
from tests.worlds.commands_in_forks import completed, start

LOG, OTHER_LOG = (GOLDEN / era / "challenges.jsonl" for era in ("e7", "e9"))
SOURCES = GOLDEN / "e7" / "sources"
CHALLENGES = "SELECT count(*) AS n FROM media"
PUBLISHES = b"PUT /stores/%b/warehouse/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        server.put(SOURCES, "stores/shared/sources")
        yield server


@dataclass(frozen=True)
class Machine:
    """A machine: its working copies, the port of its server, and the store that it works on."""

    copies: Path
    port: int
    store: str

    @property
    def environment(self) -> dict[str, str | None]:
        return environment(self.port) | {
            COPIES_VARIABLE: str(self.copies),
            STORE_VARIABLE: self.store,
        }

    def run(self, *words: str | Path) -> CompletedProcess[str]:
        return completed(words, self.environment)

    def answer(self, *words: str | Path) -> Any:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refusal(self, *words: str | Path) -> str:
        """The one line of a command that fails."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        return line

    @property
    def challenges(self) -> int:
        ((count,),) = (row.values() for row in self.answer("sql", CHALLENGES, "--format", "json"))
        assert isinstance(count, int)
        return count

    @property
    def root(self) -> Path:
        """The store's folder in its working copy."""
        (copy,) = self.copies.iterdir()
        return copy / "store"


def parts(root: Path, run_id: str) -> list[Any]:
    folder = root / "runs" / run_id / "parts"
    return [pq.ParquetFile(path).read().to_pylist() for path in sorted(folder.iterdir())]


def test_machines_share_a_store(server: S3Server, tmp_path: Path) -> None:
    first, second, third = (
        Machine(tmp_path / name, server.port, "s3://stores/shared") for name in "abc"
    )
    first.answer("ingest", LOG, "--json")
    replay = ("replay", "--model", "orange", "--sample", "20", "--variants", "1", "--json")
    there = second.answer(*replay)
    here = tmp_path / "local"
    own = Machine(tmp_path / "none", server.port, str(here))
    own.answer("ingest", LOG, "--json")
    shutil.copytree(SOURCES, here / "sources")
    assert own.answer(*replay) == there
    assert parts(second.root, there["run_id"]) == parts(here, there["run_id"])
    assert not (second.root / "sources").exists()
    # the run goes on elsewhere: all of it is done
    again = third.run(*replay)
    assert "20 of them were done by an earlier run of the same" in again.stderr
    assert json.loads(again.stdout)["predicted"] == there["predicted"]
    runs = ("sql", "SELECT run_id, model, selected FROM replay_runs", "--format", "json")
    assert first.answer(*runs) == own.answer(*runs)


def test_of_two_machines_that_publish_at_once_the_second_is_refused(
    server: S3Server, tmp_path: Path
) -> None:
    url = "s3://stores/raced"
    fast = Machine(tmp_path / "fast", server.port, url)
    with line_to(server.port, holds=PUBLISHES % b"raced") as line:
        slow = Machine(tmp_path / "slow", line.port, url)
        command = start(["ingest", LOG, "--json"], tmp_path / "output", slow.environment)
        command.wait_for(line.reached.is_set)
        fast.answer("ingest", OTHER_LOG, "--json")
        line.released.set()
        assert command.wait() == 1
    (told,) = (line for line in command.errors if line.startswith("streetreplay: "))
    assert f"store {url}: found warehouse.duckdb replaced by another machine meanwhile" in told
    assert "run the same again" in told
    assert (Path(told.rpartition(" ")[2]) / "warehouse.duckdb").is_file()
    slow = Machine(tmp_path / "slow", server.port, url)
    assert slow.challenges == fast.challenges
    slow.answer("ingest", LOG, "--json")
    assert fast.challenges == slow.challenges > 400


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_a_machine_that_stops_while_sending_has_done_is_sent_by_its_next_command(
    server: S3Server, tmp_path: Path, number: signal.Signals
) -> None:
    url = f"s3://stores/stopped-{number}"
    with line_to(server.port, holds=PUBLISHES % b"stopped-%d" % number) as line:
        stopped = Machine(tmp_path / "stopped", line.port, url)
        command = start(["ingest", LOG], tmp_path / "output", stopped.environment)
        command.wait_for(line.reached.is_set)
        command.signal(number)
        assert command.wait() == (1 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        told = f"store {url}: not sent; the next command on this store sends it"
        assert command.errors[-2:] == [told, "streetreplay: aborted"]
    other = Machine(tmp_path / "other", server.port, url)
    assert "no warehouse" in other.refusal("sql", CHALLENGES)
    assert Machine(stopped.copies, server.port, url).challenges == 400
    assert other.challenges == 400


def test_what_a_process_beside_a_page_makes_is_sent(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "s3://stores/beside"
    machine, other = (Machine(tmp_path / name, server.port, url) for name in "ab")
    machine.answer("ingest", LOG, "--json")
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, str(value))
    (copy,) = machine.copies.iterdir()
    process = start_report(Store(copy / "store", url))
    while process.state in RUNNING:
        time.sleep(0.1)
    assert process.state is State.DONE, process.log.read_text()
    assert other.challenges == 400
    reports = sorted(path.name for path in (other.root / "miners").iterdir())
    assert reports == sorted(p.name for p in (machine.root / "miners").iterdir() if p.is_file())
    assert reports


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("s3://nowhere/x", "store s3://nowhere/x: found The specified bucket does not exist; exp"),
        ("gs://b/x", "store gs://b/x: found no package that reads gs://; expected one that is ins"),
        ("foo://b/x", "store foo://: found protocol foo; expected a folder, or a URL of s3://, gs"),
        ("sftp://me:SECRET@b/x", "store sftp://: found protocol sftp; expected a folder, or a URL"),
        ("s3://me:SECRET@b/x", "store s3://: found a password or signature in the URL"),
    ],
)
def test_a_store_that_is_nowhere_is_one_line(
    server: S3Server, tmp_path: Path, store: str, told: str
) -> None:
    line = Machine(tmp_path, server.port, store).refusal("sql", CHALLENGES)
    assert told in line
    assert "SECRET" not in line


def test_no_key_and_no_server_are_one_line(server: S3Server, tmp_path: Path) -> None:
    machine = Machine(tmp_path, server.port, "s3://stores/x")
    without = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "HOME": "/nowhere"}
    done = completed(["sql", CHALLENGES], machine.environment | without)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "streetreplay: store s3://stores/x: found Unable to locate credentials; expected a server "
        "that answers, and permission to list, read and write; try again"
    )
    cut_off = Machine(tmp_path, free_port(), "s3://stores/x")
    assert "found Could not connect to the endpoint" in cut_off.refusal("sql", CHALLENGES)


def test_the_demo_asks_for_a_folder(server: S3Server, tmp_path: Path) -> None:
    told = Machine(tmp_path, server.port, "s3://stores/x").refusal("demo")
    assert "store s3://stores/x: found a URL; expected a folder of this machine" in told
