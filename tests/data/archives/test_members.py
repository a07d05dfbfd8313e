"""Names and problems of an archive's members cost little, however many and however long."""

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.archives.archive_files import members, tarred, unpacked, write_zip


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
def test_names_of_deep_members_are_not_kept(tmp_path: Path) -> None:
    deep = [("a/" * 31 + "kept", b"x")]
    deep += [(f"{number:03d}/" + "a/" * 450 + "x", b"") for number in range(300)]
    (tmp_path / "x.tgz").write_bytes(gzip.compress(tarred(deep)))
    held = unpacked(tmp_path / "x.tgz")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    assert members(held.root) == {"a/" * 31 + "kept": b"x"}
    assert held.described().startswith("300 x members more than 31 folders deep (000/a/a/")


def test_problems_are_described_in_one_short_line(tmp_path: Path) -> None:
    held = unpacked(write_zip(tmp_path / "x.zip", [("a", b"x")]))
    for kind in range(20):
        for number in range(3):
            held.report(f"kind {kind}", f"{number}" * 1000)
    shown = held.described()
    assert shown.startswith(f"3 x kind 0 ({'0' * 100}), ")
    assert "kind 8 " in shown
    assert "kind 9 " not in shown
    assert shown.endswith(f"3 x kind 19 ({'0' * 100}), and 10 more kinds of problems")
