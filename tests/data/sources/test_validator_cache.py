"""A validator's image cache as a source: found by name, read as it is, never by a log's path."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from data.errors import SourceError
from data.sources.validator_cache import CachedImages, read_cached

SHARD = "train-00011-of-00026.parquet"
STEM = "train-00011-of-00026__image_7"


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def read(cached: CachedImages) -> tuple[bytes, Any]:
    return read_cached(cached.paths(SHARD, 7)[0])


def put(folder: Path, name: str, content: bytes = b"image") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("suffix", ["jpeg", "jpg", "png"])
def test_an_image_is_found_by_shard_and_row(tmp_path: Path, suffix: str) -> None:
    put(tmp_path, f"{STEM}.{suffix}", b"bytes")
    cached = CachedImages(files_of(tmp_path))
    assert len(cached) == 1
    assert (SHARD, 7) in cached
    assert read(cached) == (b"bytes", {})


@pytest.mark.parametrize(
    "name",
    [
        f"{STEM}.json",
        f"{STEM}.txt",
        "train-00011-of-00026__image_07.png",
        "train-00011-of-00026__image_77.png",
        "train-00011-of-00026_image_7.png",
        "other__image_7.png",
    ],
)
def test_nothing_else_is_taken_for_it(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert (SHARD, 7) not in CachedImages(files_of(tmp_path))


@pytest.mark.parametrize("hostile", ["../secret.parquet", "/etc/passwd", "..", "", "a\0b.parquet"])
def test_a_name_from_a_log_is_compared_and_never_opened(tmp_path: Path, hostile: str) -> None:
    put(tmp_path, "secret__image_7.png")
    cached = CachedImages(files_of(put(tmp_path / "below", f"{STEM}.png").parent))
    assert (hostile, 7) not in cached
    assert cached.paths(hostile, 7) == []


def test_of_two_equal_names_both_are_told_in_order(tmp_path: Path) -> None:
    first = put(tmp_path / "a", f"{STEM}.jpeg", b"first")
    second = put(tmp_path / "b", f"{STEM}.jpeg", b"second")
    cached = CachedImages([first, second])
    assert cached.paths(SHARD, 7) == [first, second]
    assert cached.duplicates == [second]
    assert len(cached) == 1


@pytest.mark.parametrize(
    ("written", "columns"),
    [
        ({"id": 3, "gps": "[1.0, 2.0]", "label": 1}, {"id": 3, "gps": "[1.0, 2.0]"}),
        ({"id": "3", "gps": None}, {"id": 3, "gps": None}),
        ({"id": "three"}, {"gps": None}),
        ([1, 2], {}),
    ],
)
def test_the_json_beside_an_image_tells_its_row(
    tmp_path: Path, written: Any, columns: dict[str, Any]
) -> None:
    put(tmp_path, f"{STEM}.png")
    put(tmp_path, f"{STEM}.json", json.dumps(written).encode())
    assert read(CachedImages(files_of(tmp_path)))[1] == columns


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (2**20 + 1), b'{"id": NaN}']
)
def test_a_damaged_json_does_not_cost_the_image(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, f"{STEM}.png")
    put(tmp_path, f"{STEM}.json", content)
    image, columns = read(CachedImages(files_of(tmp_path)))
    assert image == b"image"
    assert not columns.get("id")


def test_a_file_that_is_gone_or_no_file_is_an_error_of_ours(tmp_path: Path) -> None:
    path = put(tmp_path, f"{STEM}.png")
    cached = CachedImages(files_of(tmp_path))
    path.unlink()
    with pytest.raises(SourceError, match="no regular file"):
        read(cached)
    os.mkfifo(path)  # opening it would wait for ever
    with pytest.raises(SourceError, match="no regular file"):
        read(cached)
    assert cached.fingerprint([(SHARD, 7)])


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, f"{STEM}.png")
    with path.open("r+b") as stream:
        stream.truncate(2**40)  # sparse
    with pytest.raises(SourceError, match="at most"):
        read(CachedImages(files_of(tmp_path)))


def test_a_fingerprint_is_that_of_names_and_contents(tmp_path: Path) -> None:
    path = put(tmp_path, f"{STEM}.png")
    other = put(tmp_path, "train-00011-of-00026__image_8.png")
    cached = CachedImages(files_of(tmp_path))
    both = [(SHARD, 7), (SHARD, 8)]
    before = cached.fingerprint(both)
    assert cached.fingerprint([*reversed(both), (SHARD, 7)]) == before
    assert cached.fingerprint(both[:1]) != before
    os.utime(path, (0, 0))
    assert cached.fingerprint(both) == before
    put(tmp_path, f"{STEM}.json", b"{}")
    told = cached.fingerprint(both)
    assert told != before
    other.write_bytes(b"IMAGE")
    assert cached.fingerprint(both) not in (told, before)
