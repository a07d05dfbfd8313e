"""Sources of a server are those of the folder with the same files; reads are by range."""

import io
import json
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from data.errors import SourceAccessError, SourceError
from data.sources.folder_listing import listing_sha256, source_files
from data.sources.remote_file import RemoteFile, access_errors
from data.sources.row_metadata import row_metadata
from data.sources.shards import Shards, open_shards
from data.sources.source_path import file_size, name_below, source_folder
from tests.worlds.stores import SHARD, encoded, picture, write_shard

URL = "memory://bucket/prefix"
RAW = [encoded(picture((32, 24), seed=k)) for k in range(5)]
STEM = SHARD.removesuffix(".parquet")


@pytest.fixture
def memory() -> Iterator[Any]:
    """A server in this process's memory."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def uploaded(memory: Any, folder: Path) -> UPath:
    for path in folder.rglob("*"):
        if path.is_file():
            memory.pipe(f"/bucket/prefix/{path.relative_to(folder)}", path.read_bytes())
    place = source_folder(URL)
    assert isinstance(place, UPath)
    return place


def a_folder(root: Path) -> Path:
    """Every kind of file that a listing tells apart, at several depths."""
    folder = root / "sources"
    for below in ("data", "b/a", "b", ".git", ""):
        write_shard(folder / below, RAW)
    shutil.move(folder / "b" / "a" / SHARD, folder / "b" / "a" / "other.parquet")
    downloads = folder / ".cache" / "huggingface" / "download" / "data"
    downloads.mkdir(parents=True)
    (downloads / f"{SHARD}.1a.incomplete").write_bytes(b"PAR1")
    (folder / "z.parquet.part").write_bytes(b"")
    (folder / f"{STEM}__image_1.jpeg").write_bytes(RAW[3])
    (folder / f"{STEM}__image_1.json").write_text(json.dumps({"id": "7", "gps": "[40.0, -86.0]"}))
    (folder / f"{STEM}__image_2.png").write_bytes(RAW[4])
    (folder / "notes.txt").write_bytes(b"")
    return folder


def test_a_url_lists_what_the_folder_lists_in_its_order(memory: Any, tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    there = uploaded(memory, folder)
    here, listed = source_files(folder), source_files(there)
    for kind in ("shards", "images", "unfinished", "unreadable"):
        expected = [str(path.relative_to(folder)) for path in getattr(here, kind)]
        assert [name_below(there, path) for path in getattr(listed, kind)] == expected, kind
    before = listing_sha256(there)
    assert listing_sha256(source_folder(URL)) == before
    memory.pipe(f"/bucket/prefix/{SHARD}", b"changed")
    assert listing_sha256(there) != before


def test_rows_fingerprints_and_cached_images_are_those_of_the_folder(
    memory: Any, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path)
    here, there = open_shards(folder), Shards(uploaded(memory, folder))
    used = [(SHARD, row) for row in range(4)] + [("other.parquet", 0)]
    assert there.fingerprints(used) == here.fingerprints(used)
    for name, row in used:
        (local, *_), (remote, *_) = here.locations(name, row), there.locations(name, row)
        assert there.read_at(remote) == here.read_at(local)
    assert there.read(SHARD, 2) == here.read(SHARD, 2)
    assert file_size(there.paths[0]) == file_size(here.paths[0])
    assert there.check(there.paths[0]).rows == len(RAW)


def test_a_file_url_is_the_folder_of_this_machine(tmp_path: Path) -> None:
    path = write_shard(tmp_path, RAW)
    assert open_shards(f"file://{tmp_path}").paths == [path]
    assert source_folder(f"local://{tmp_path}") == tmp_path
    assert source_folder("~/x") == Path("~/x")
    assert source_folder("s3:/x") == Path("s3:/x")


def test_a_place_goes_to_other_processes() -> None:
    folder = source_folder("s3://bucket/prefix")
    assert pickle.loads(pickle.dumps(folder)) == folder  # noqa: S301  (made here)
    assert str(folder) == "s3://bucket/prefix"
    assert b"SECRET" not in pickle.dumps(folder)


def photographs(rows: int, group: int, size: int) -> bytes:
    """A shard of the public data set's columns with so many bytes an image."""
    rng = np.random.default_rng(0)
    table: dict[str, Any] = {
        "image": [{"bytes": b"\xff\xd8" + rng.bytes(size), "path": "x.jpg"} for _ in range(rows)],
        "id": list(range(rows)),
        "width": [1920] * rows,
        "flickr_url": [f"http://x/{k}" for k in range(rows)],
        "gps": ["[40.00000000, -86.00000000]"] * rows,
        "scene_description": [f"a street, number {k} " * 5 for k in range(rows)],
        "label": [0] * rows,
    }
    stream = io.BytesIO()
    pq.write_table(pa.table(table), stream, row_group_size=group)
    return stream.getvalue()


def test_a_row_costs_the_footer_and_its_row_group(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = photographs(rows=100, group=10, size=20_000)
    memory.pipe(f"/bucket/prefix/{SHARD}", content)
    reads: list[int] = []
    opened = type(memory)._open

    def counted(files: Any, path: str, *words: Any, **options: Any) -> Any:
        stream = opened(files, path, *words, **options)
        read = stream.read

        def counting(size: int) -> bytes:
            got: bytes = read(size)
            reads.append(len(got))
            return got

        stream.read = counting
        return stream

    monkeypatch.setattr(type(memory), "_open", counted)
    shards = open_shards(URL)
    shards.fingerprints([(SHARD, 0)])
    assert len(row_metadata(shards[SHARD], ("label",))) == 100
    assert reads[0] == 2**16
    in_labels, reads[:] = sum(reads[1:]), []
    assert in_labels < 10_000
    shards.check(shards.paths[0])
    assert sum(reads) < 10_000
    reads.clear()
    shards.read(SHARD, 55)
    shards.read(SHARD, 50)
    group = 10 * 20_002
    assert len(reads) == 1
    assert group <= sum(reads) < 1.05 * group


def test_an_odd_file_is_named_as_in_a_folder(memory: Any, tmp_path: Path) -> None:
    for name, content in (
        ("a.parquet", b"PAR1" + b"x" * 100),
        ("b.parquet", b""),
        ("c.parquet", b"version https://git-lfs.github.com/spec/v1\noid x\nsize 12345\n"),
    ):
        (tmp_path / name).write_bytes(content)
    here, there = Shards(tmp_path), Shards(uploaded(memory, tmp_path))
    for local, remote in zip(here.paths, there.paths, strict=True):
        with pytest.raises(SourceError) as expected:
            here.open(local)
        with pytest.raises(SourceError) as error:
            there.open(remote)
        assert str(error.value) == str(expected.value)


def test_what_a_server_no_longer_holds_is_a_source_error(memory: Any, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    write_shard(folder, RAW)
    there = Shards(uploaded(memory, folder))
    memory.store.clear()
    with pytest.raises(SourceError, match="expected a bucket, folder or file of that name"):
        there.open(there.paths[0])
    with pytest.raises(SourceError, match=f"{URL}: found"):
        Shards(there.folder)
    memory.pipe("/bucket/prefix", b"a file")
    with pytest.raises(SourceError, match="no file there"):
        Shards(there.folder)


def test_a_server_that_fails_amid_a_row_group_is_no_verdict_on_the_image(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sources"
    write_shard(folder, RAW)
    (folder / f"{STEM}__image_1.png").write_bytes(RAW[0])
    there = Shards(uploaded(memory, folder))
    assert there[SHARD].rows == len(RAW)
    # small files lie in the end that is kept
    shard = there.open(there.paths[0])
    assert isinstance(shard.source, RemoteFile)
    shard.source._tail = b""

    def fails(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("connection\nlost")

    stream = shard.source._stream
    monkeypatch.setattr(stream, "read", fails, raising=False)
    with pytest.raises(SourceAccessError, match=f"{SHARD}: found connection lost; expected a serv"):
        there.read(SHARD, 3)
    monkeypatch.setattr(type(memory), "_open", fails)
    with pytest.raises(SourceAccessError):
        there.cached.fingerprint([(SHARD, 1)])
    with pytest.raises(SourceAccessError):
        there.read_at(there.locations(SHARD, 1)[0])
    monkeypatch.undo()
    assert there.read(SHARD, 3).image == RAW[3]


def test_a_file_that_became_shorter_is_told(memory: Any) -> None:
    memory.pipe("/bucket/x", bytes(100))
    with RemoteFile(UPath("memory://bucket/x")) as file:
        file.seek(40)
        memory.store["/bucket/x"].truncate(50)
        with pytest.raises(SourceAccessError, match="found 10 of 60 bytes from byte 40 on"):
            file.read()


def test_a_remote_file_reads_as_any_other(memory: Any) -> None:
    content = os.urandom(300_000)
    memory.pipe("/bucket/x", content)
    with RemoteFile(UPath("memory://bucket/x")) as file, io.BytesIO(content) as same:
        for offset, whence in ((0, 0), (-70_000, 2), (-100, 2), (5, 0), (10, 1), (400_000, 0)):
            assert file.seek(offset, whence) == same.seek(offset, whence)
            for size in (0, 7, 100_000):
                assert file.read(size) == same.read(size)
                assert file.tell() == same.tell()
        file.seek(1)
        assert file.readall() == content[1:]
    assert file.closed


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "nosuch://b/x",
            "sources nosuch://b/x: found protocol nosuch; expected a folder, or a URL",
        ),
        (
            "gs://b/x",
            "found no package that reads gs://; expected one that is installed; Please in",
        ),
        *(
            (url, f"sources {url.split(':')[0]}://: found a password or signature in the URL")
            for url in (
                "ftp://me:SECRET@host/x",
                "s3://AKIA:SEC/RET@bucket/x/SECRET",
                "https://SECRET@host/x",
                "https://host/x?signature=SECRET",
            )
        ),
    ],
)
def test_a_url_that_nothing_reads_is_one_line(url: str, told: str) -> None:
    with pytest.raises(SourceError) as error:
        source_folder(url)
    assert told in str(error.value)
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("url", ["github://org:repo@main/x", "memory://a@b/c"])
def test_a_url_with_an_at_sign_need_not_hold_a_password(url: str) -> None:
    assert not isinstance(source_folder(url), Path)


def test_errors_of_a_server_are_one_line_of_printable_text() -> None:
    with pytest.raises(SourceAccessError) as error, access_errors(UPath(URL)):
        raise ValueError("a\n\x1b[31m" + "long " * 500)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600
