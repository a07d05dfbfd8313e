"""The end of a log: bounded, and nothing but text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.background.log_tail import as_text, log_tail
from data.text import is_printable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\dcs", "dcs"),
        ("\x9b31mred", "red"),
        ("\x1b(B\x1b=keys", "keys"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("10%\r20%\r100%", "100%"),
        ("bell\x07 and \x00", "bell\\x07 and \\x00"),
        ("\x1b", "\\x1b"),
        ("<b>**b** :red[x] $a$", "<b>**b** :red[x] $a$"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_escapes_are_taken_out_and_the_rest_is_visible(line: str, shown: str) -> None:
    assert as_text(line) == shown


@given(st.text())
def test_no_text_controls_anything(line: str) -> None:
    shown = as_text(line)
    assert is_printable(shown)
    assert "\x1b" not in shown
    assert len(shown) <= 400


def test_the_last_lines_of_10_mb(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    with file.open("w") as stream:
        stream.writelines(f"line {number} \x1b[31m{'x' * 80}\x1b[0m\n" for number in range(105_000))
    assert file.stat().st_size > 10_000_000
    shown = log_tail(file, 3)
    assert [line.split()[1] for line in shown] == ["104997", "104998", "104999"]
    assert len(log_tail(file, 10**9)) < 1000


def test_a_line_of_10_mb(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"x" * 10_000_000)
    (line,) = log_tail(file)
    assert len(line) == 400


def test_a_cut_line_is_left_out_and_what_is_no_utf8_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"a" * 70_000 + b"\nb\xff\n\n")
    assert log_tail(file) == ["b\N{REPLACEMENT CHARACTER}"]


def test_no_log(tmp_path: Path) -> None:
    assert log_tail(tmp_path / "none") == []
