"""A disk that is full while an ingest needs it for other things than the warehouse."""

import gc
import io
import json
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from data.errors import WriteError
from data.store import Store
from tests.conftest import ROOT
from tests.worlds.full_disk import fill, small_disk

SAMPLE = ROOT / "data" / "sample" / "media_record.json"
RECORDS = 6000


@pytest.fixture
def lines(e7: list[dict[str, Any]]) -> list[bytes]:
    """Lines of 26 MB, no two equal."""
    return [
        json.dumps(record | {"path": f"{n}/{record['path']}"}).encode() + b"\n"
        for n in range(RECORDS)
        for record in [e7[n % len(e7)]]
    ]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Store]:
    """A store of one challenge on a disk of 200 MB with room for its copy and little more."""
    with small_disk(tmp_path / "disk", 200_000) as disk:
        store = Store(disk / "store")
        ingest(store, [SAMPLE])
        fill(disk, leave=8 * 2**20)
        yield store


def archive(path: Path, content: bytes) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
            written.writestr("long.jsonl", content)
    else:
        with tarfile.open(path, "w:gz") as tar:
            header = tarfile.TarInfo("long.jsonl")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))


def full_and_untouched(store: Store, logs: list[Path], settings: IngestSettings) -> str:
    """What an ingest says for which there is no room; it must leave all as it was."""
    before, content = set(store.root.rglob("*")), store.warehouse.read_bytes()
    with pytest.raises(WriteError) as told:
        ingest(store, logs, settings=settings)
    said = str(told.value)
    del told
    gc.collect()  # what is unpacked goes with what holds it, at the latest with the process
    assert store.warehouse.read_bytes() == content
    assert set(store.root.rglob("*")) - before <= {store.unpacked}
    assert "\n" not in said
    return said


def all_read_once_there_is_room(store: Store, logs: list[Path]) -> None:
    (store.root.parent / "ballast").unlink()
    report = ingest(store, logs)
    assert report.rejects == []
    assert query(store, "SELECT count(*) FROM media").rows == [(RECORDS + 1,)]


@pytest.mark.parametrize("processes", [1, 2])
def test_no_room_for_rows_that_wait(
    tmp_path: Path, full: Store, lines: list[bytes], processes: int
) -> None:
    log = tmp_path / "long.jsonl"
    log.write_bytes(b"".join(lines))
    settings = IngestSettings(staged_megabytes=1, processes=processes, process_megabytes=0)
    said = full_and_untouched(full, [log], settings)
    assert re.search(
        r"scratch/[\w-]+\.\w+: found No space left on device; .* free some space", said
    )
    all_read_once_there_is_room(full, [log])


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_no_room_to_unpack_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Store, lines: list[bytes], name: str
) -> None:
    log, other = tmp_path / name, tmp_path / "other.jsonl"
    archive(log, b"".join(lines))
    other.write_bytes(lines[0])
    said = full_and_untouched(full, [other, log], IngestSettings())
    assert re.search("unpacked: found less than 1.1 GB left on the disk.* free some space", said)

    # as if another program took the room that is left free
    usage = shutil.disk_usage(tmp_path)._replace(free=10**12)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    said = full_and_untouched(full, [other, log], IngestSettings())
    assert re.search("unpacked: found No space left on device.* free some space", said)
    all_read_once_there_is_room(full, [other, log])
