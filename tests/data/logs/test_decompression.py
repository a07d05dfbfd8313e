"""A log is the same log in whatever it is packed or encoded; damage costs only what it hit."""

import bz2
import codecs
import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.logs import decompression
from data.logs.decompression import log_text, open_log
from data.logs.json_logs import read_json_log
from data.records.types import Logged, LogItem, Reject
from tests.conftest import CASES
from tests.data.logs.compression import zstd_compress

Json = dict[str, Any]


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstd_compress,
    "bz2": bz2.compress,
}


def read(path: Path, content: bytes) -> list[LogItem]:
    path.write_bytes(content)
    return list(read_json_log(path, path.name))


def pieces(path: Path) -> Iterator[bytes]:
    with open_log(path) as stream:
        yield from iter(lambda: stream.read(2**16), b"")


def paths(items: list[LogItem]) -> list[str | None]:
    """What each challenge of a log names as its path; None for a reject."""
    return [item.challenge.source.path if isinstance(item, Logged) else None for item in items]


def lines_of(record: Json, count: int) -> bytes:
    lines = [json.dumps(record | {"path": f"é {k}"}, ensure_ascii=False) for k in range(count)]
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("compression", PACKERS)
def test_a_packed_log_is_the_same_log_in_one_piece_or_several(
    tmp_path: Path, record: Json, compression: str
) -> None:
    pack, text = PACKERS[compression], lines_of(record, 6)
    middle = text.index(b"\n", len(text) // 2) + 1
    for content in (pack(text), pack(text[:middle]) + pack(text[middle:])):
        items = read(tmp_path / "log", content)
        assert paths(items) == [f"é {k}" for k in range(6)]


@pytest.mark.parametrize("compression", PACKERS)
def test_a_packed_log_cut_off_keeps_what_is_whole_and_says_so(
    tmp_path: Path, record: Json, compression: str
) -> None:
    # enough that every compression has several blocks
    whole = PACKERS[compression](
        b"".join(
            json.dumps(record | {"path": str(k), "x": [k * j % 7919 for j in range(900)]}).encode()
            + b"\n"
            for k in range(400)
        )
    )
    items = read(tmp_path / "log", whole[: len(whole) * 9 // 10])
    assert len(items) > 50
    assert paths(items[:-1]) == [str(k) for k in range(len(items) - 1)]
    last = items[-1]
    assert isinstance(last, Reject)
    assert "expected a whole file" in last.reason


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", b"\x1f\x8brest", b"\x28\xb5\x2f\xfdrest", b"BZhx"]
)
def test_damage_from_the_start_is_one_reject(tmp_path: Path, content: bytes) -> None:
    (item,) = read(tmp_path / "log", content)
    assert isinstance(item, Reject)
    assert "expected a whole file" in item.reason


@pytest.mark.parametrize(
    "encoding",
    ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_log_in_another_encoding_is_the_same_log(
    tmp_path: Path, record: Json, encoding: str, end: str, marked: bool, indent: int | None
) -> None:
    texts = [
        json.dumps(record | {"path": f"é 😀 {k}"}, ensure_ascii=False, indent=indent)
        for k in range(3)
    ]
    text = (end.join(texts) + end).replace("\n", end if indent else "\n")
    mark = "\ufeff" if marked and encoding[-2:] in ("le", "be") else ""
    items = read(tmp_path / "log.json", (mark + text).encode(encoding))
    assert paths(items) == [f"é 😀 {k}" for k in range(3)]


def test_logs_of_powershell_are_read() -> None:
    lines, pretty = (list(read_json_log(CASES / "utf16" / n, n)) for n in _UTF16)
    assert [type(item) for item in lines] == [Logged] * 3
    assert [type(item) for item in pretty] == [Logged]


_UTF16 = ("lines.jsonl", "pretty.json")


def test_utf_16_cut_off_inside_a_character_costs_the_last_record(
    tmp_path: Path, record: Json
) -> None:
    text = lines_of(record, 2).decode().encode("utf-16")
    items = read(tmp_path / "log.jsonl", text[:-101])
    assert paths(items) == ["é 0", None]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=40))
def test_every_encoding_gives_the_text_as_utf_8(text: str) -> None:
    import tempfile  # noqa: PLC0415

    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ):
        with tempfile.NamedTemporaryFile() as file:
            file.write(mark + text.encode(encoding))
            file.flush()
            with open_log(Path(file.name)) as stream:
                assert stream.read().decode() == text


def test_the_record_behind_a_hole_is_kept_and_the_hole_told() -> None:
    items = list(read_json_log(CASES / "holes" / "hole_first.jsonl", "hole"))
    assert [type(item) for item in items] == [Reject, Logged, Logged, Logged]
    nul_bytes = items[0]
    assert isinstance(nul_bytes, Reject)
    assert "found 5000 NUL bytes in a row" in nul_bytes.reason


@pytest.mark.parametrize("size", [1, 5, 2**16, 2**16 + 1, 20 * 2**20])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_hole_of_any_size_anywhere_costs_only_the_record_it_hit(
    tmp_path: Path, record: Json, size: int, indent: int | None
) -> None:
    texts = [json.dumps(record | {"path": str(k)}, indent=indent).encode() for k in range(4)]
    nul_bytes = b"\0" * size
    # one before the first, one that tore the second record, one at the end
    torn = texts[1][: len(texts[1]) // 2]
    content = (
        nul_bytes
        + texts[0]
        + b"\n"
        + torn
        + nul_bytes
        + texts[2]
        + b"\n"
        + texts[3]
        + b"\n"
        + nul_bytes
    )
    items = read(tmp_path / "log.json", content)
    assert [path for path in paths(items) if path] == ["0", "2", "3"]
    told = [item.reason for item in items if isinstance(item, Reject)]
    assert sum(f"found {size} NUL bytes in a row" in reason for reason in told) >= 2
    assert any("cut off" in reason for reason in told)


@pytest.mark.parametrize("compression", PACKERS)
def test_a_bomb_is_not_unpacked_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    monkeypatch.setattr(decompression, "FREE_EXPANSION", 2**20)
    path = tmp_path / "log"
    path.write_bytes(PACKERS[compression](b" " * 2**25))
    sizes: list[int] = []
    with pytest.raises(OSError, match="more than 200 times"):
        sizes.extend(len(piece) for piece in pieces(path))
    assert sum(sizes) <= max(2**20, 200 * path.stat().st_size)
    (reject,) = read_json_log(path, "log")
    assert isinstance(reject, Reject)
    assert "more than 200 times" in reject.reason


def test_what_is_read_is_never_held_whole(tmp_path: Path) -> None:
    """A hole of 256 MiB (sparse on disk) is one mark."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(2**28)
        file.seek(0, io.SEEK_END)
        file.write(b"{}")
    with open_log(path) as stream:
        assert stream.read() == b"\n\x00%d\n{}" % 2**28


@pytest.mark.parametrize("most", [1, 10, 1000])
def test_a_text_in_one_call_is_the_text_in_pieces(tmp_path: Path, most: int) -> None:
    text = '<pre>{"a": "é and more"}</pre>'
    plain = text.encode()
    contents = [plain, b"", plain[:10], plain[:9] + b"\0\0" + plain, codecs.BOM_UTF8 + plain]
    contents += [text.encode("utf-16"), text.encode("utf-32-le"), plain * 99]
    contents += [pack(plain) for pack in PACKERS.values()]
    for number, content in enumerate(contents):
        path = tmp_path / str(number)
        path.write_bytes(content)
        with open_log(path) as stream:
            assert log_text(path, most) == stream.read(most)
