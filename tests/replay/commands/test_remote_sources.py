"""`--sources s3://...` against a local server: the same run as from the folder, and every error."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analytics.ingest.ingest import ingest
from data.sources.shards import Shards
from data.store import Store
from tests.conftest import GOLDEN
from tests.data.sources.s3_server import S3Server, environment, free_port, line_to, s3_server
from tests.worlds.commands_in_forks import completed

FOLDER = GOLDEN / "e7" / "sources"
(SHARD,) = (path.name for path in FOLDER.iterdir())
URL = "s3://shards/roadwork"
REPLAY = ("replay", "--model", "orange", "--variants", "2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        assert server.put(FOLDER, "shards/roadwork") == URL
        yield server


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("golden") / "store")
    ingest(store, [GOLDEN / "e7" / "challenges.jsonl"])
    return store


@pytest.fixture
def golden_store(ingested: Store, tmp_path: Path) -> Store:
    shutil.copytree(ingested.root, tmp_path / "store")
    return Store(tmp_path / "store")


def of(store: Store, sources: object) -> tuple[str, ...]:
    return ("--store", str(store.root), "--sources", str(sources))


def replayed(store: Store, sources: object, port: int, *words: str) -> dict[str, Any]:
    done = completed(
        [*REPLAY, "--sample", "60", "--json", *words, *of(store, sources)],
        environment(port),
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def parts(store: Store, run_id: str) -> list[Any]:
    folder = store.runs / run_id / "parts"
    return [pq.ParquetFile(path).read().to_pylist() for path in sorted(folder.iterdir())]


def refused(store: Store, sources: str, port: int, **changed: str | None) -> str:
    """The one line of a replay that fails."""
    done = completed(
        [*REPLAY, "--workers", "1", *of(store, sources)],
        environment(port) | changed,
    )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("streetreplay: ")]
    assert lines == done.stderr.splitlines()[-1:]
    return lines[0]


def test_a_replay_from_a_server_is_the_one_from_the_folder(
    golden_store: Store, server: S3Server
) -> None:
    here = replayed(golden_store, FOLDER, server.port)
    from_folder = parts(golden_store, here["run_id"])
    shutil.rmtree(golden_store.runs)
    there = replayed(golden_store, URL, server.port, "--workers", "2")
    assert there == here
    assert parts(golden_store, there["run_id"]) == from_folder
    described = json.loads((golden_store.runs / there["run_id"] / "run.json").read_text("utf-8"))
    assert described["made_by"]["asked"]["sources"] == URL


def test_sources_of_a_server_are_listed(golden_store: Store, server: S3Server) -> None:
    words = ["sources", "--json", *of(golden_store, URL)]
    done = completed(words, environment(server.port))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    size = (FOLDER / SHARD).stat().st_size
    here = {"name": SHARD, "file": SHARD, "rows": Shards(FOLDER)[SHARD].rows}
    assert report["shards"] == [here | {"size": size, "problem": None}]
    assert (report["folder"], report["available"]) == (URL, report["challenges"])


def test_a_line_lost_amid_a_row_group_ends_the_run_which_goes_on_when_it_is_back(
    golden_store: Store, server: S3Server
) -> None:
    size = (FOLDER / SHARD).stat().st_size
    with line_to(server.port, breaks_after=size / 2) as line:
        told = refused(golden_store, URL, line.port)
        assert line.received > size / 2
    assert f"{URL}/{SHARD}: found" in told
    assert "expected a server that answers" in told
    assert "run the same again" in told
    report = replayed(golden_store, URL, server.port)
    assert report["predicted"] == report["selected"]


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ("s3://nowhere/x", "s3://nowhere/x: found The specified bucket does not exist; expected"),
        ("s3://shards/nothing", "s3://shards/nothing: found shards/nothing; expected a bucket"),
        ("gs://b/x", "found no package that reads gs://; expected one that is installed; Please"),
        ("foo://b/x", "found protocol foo; expected a folder, or a URL"),
    ],
)
def test_what_is_not_there_is_one_line(
    golden_store: Store, server: S3Server, sources: str, told: str
) -> None:
    assert told in refused(golden_store, sources, server.port)


def test_no_key_and_no_server_are_one_line(golden_store: Store, server: S3Server) -> None:
    without = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "HOME": "/nowhere"}
    told = refused(golden_store, URL, server.port, **without)
    assert f"{URL}: found Unable to locate credentials; expected a server that answers" in told
    assert f"{URL}: found Could not connect" in refused(golden_store, URL, free_port())
