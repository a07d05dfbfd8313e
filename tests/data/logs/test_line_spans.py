"""Stretches of a file hold the same lines as the whole file, in any process that reads them."""

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.logs.decompression import open_log
from data.logs.line_spans import LineSpan, line_spans, lines_of

PIECES = st.lists(
    st.sampled_from([b"{", b"ab", b"\n", b"\r\n", b"\0", b"\0\0\0", b"\xc3\xa9", b"c" * 40]),
    max_size=60,
)


@pytest.fixture(autouse=True)
def _short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.logs.line_spans.SPAN_BYTES", 16)
    monkeypatch.setattr("data.logs.line_spans._CHUNK_BYTES", 7)
    monkeypatch.setattr("data.logs.line_spans.MAX_RECORD_BYTES", 32)


def spans_of(path: Path, first: int = 0) -> Iterator[LineSpan]:
    with path.open("rb", buffering=0) as opened:
        yield from line_spans(path, opened, first)


def whole(path: Path) -> list[bytes]:
    with open_log(path) as stream:
        return list(lines_of(stream))


@given(mark=st.sampled_from([b"", b"\xef\xbb\xbf"]), pieces=PIECES)
def test_spans_hold_the_lines_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, mark: bytes, pieces: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(mark + b'{"a"' + b"".join(pieces))
    expected = whole(path)
    assert [line for span in spans_of(path) for line in span.lines()] == expected
    sent = [pickle.loads(pickle.dumps(span)) for span in spans_of(path)]  # noqa: S301
    assert [line for span in sent for line in span.lines()] == expected
    assert sum(span.bytes_unreported for span in sent) == path.stat().st_size - len(mark)


def test_another_machine_has_the_same_lines_where_their_hash_is(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(b"line %d\n" % k for k in range(9)))
    spans = list(spans_of(path))
    sent = [span.elsewhere() for span in pickle.loads(pickle.dumps(spans))]  # noqa: S301
    hashes = [span.sha256() for span in sent]
    with path.open("rb") as opened:
        assert hashes[0] == hashlib.sha256(opened.read(21)).hexdigest()
    other = tmp_path / "other.jsonl"
    other.write_bytes(path.read_bytes().replace(b"line 8", b"line 9"))
    other.rename(path)
    assert [span.sha256() for span in sent][:-1] == hashes[:-1]
    assert sent[-1].sha256() != hashes[-1]
    assert list(sent[-1].lines())[-1] == b"line 9\n"
    with pytest.raises(OSError, match="another file than before"):
        pickle.loads(pickle.dumps(spans[0])).sha256()  # noqa: S301


def test_spans_begin_where_they_are_told_to(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(b"line %d\n" % k for k in range(9)))
    lines = [line for span in spans_of(path, 3 * len(b"line 0\n")) for line in span.lines()]
    assert lines == whole(path)[3:]


def test_what_is_written_meanwhile_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"a\n" * 20)
    lines: list[bytes] = []
    for span in spans_of(path):
        lines += span.lines()
        with path.open("ab") as stream:
            stream.write(b"half a li")
    assert lines == [b"a\n"] * 20


def test_another_file_of_that_name_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"old\n" * 3)
    with path.open("rb", buffering=0) as opened:
        (span,) = line_spans(path, opened, 0)
        sent = pickle.loads(pickle.dumps(span))  # noqa: S301
        path.rename(tmp_path / "log.jsonl.1")
        path.write_bytes(b"new\n" * 3)
        with pytest.raises(OSError, match="another file than before"):
            list(sent.lines())
        assert list(span.lines()) == [b"old\n"] * 3
