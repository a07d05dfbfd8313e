"""What commands print of a hostile log: text, whatever it says and whatever the encoding is."""

import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import data.terminal
import data.terminal_progress
import streetreplay
from data.store import STORE_VARIABLE
from data.text import is_printable, printable
from tests.conftest import ROOT
from tests.worlds.hostile_store import HOSTILE, NAME, commands, quick_commands, write_hostile_store

ENCODINGS = ("cp1252", "utf-8", "ascii")


@dataclass(frozen=True)
class Printed:
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hostile store."""
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile_store(folder)
    return folder


class Terminal(io.TextIOWrapper):
    """A stream that refuses what its encoding lacks, as Python's own do."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="\n")

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param  # type: ignore[no-any-return]


def run(words: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> Printed:
    out, err = Terminal(encoding), Terminal(encoding)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        patched.setattr(sys, "argv", ["streetreplay", *words])
        with pytest.raises(SystemExit) as stop:
            streetreplay.main()
    status = stop.value.code
    assert isinstance(status, int)
    return Printed(status, out.text(), err.text())


def hidden(text: str) -> set[str]:
    """Control and format characters, and what has no width; line ends are our own."""
    kinds = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return {
        c for c in text if c != "\n" and (unicodedata.category(c) in kinds or c in "\ufe0f\u3164")
    }


@pytest.mark.filterwarnings("ignore")  # of libraries, about a log of 61 challenges
def test_no_command_sends_what_a_terminal_would_obey(
    hostile: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the demo asks for the default store: one of a real log
    monkeypatch.setenv(STORE_VARIABLE, str(hostile / f"store{NAME}"))
    for words in commands(hostile) if encoding == "ascii" else quick_commands(hostile):
        printed = run(words, encoding, monkeypatch)
        for text in (printed.out, printed.err):
            assert not hidden(text), (words, text)
            assert "🔥" not in text, words
        assert "this is a bug" not in printed.err, (words, printed.err)
        assert printed.out or printed.err, words
        if "--json" in words or "json" in words:
            assert json.loads(printed.out.splitlines()[0] if "render" in words else printed.out)
            printed.out.encode("utf-8")


def test_json_is_the_same_value_in_every_encoding(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["sql", "SELECT hotkey FROM responses LIMIT 3", "--format", "json", "--store"]
    found = []
    for encoding in ENCODINGS:
        printed = run([*words, str(hostile / f"store{NAME}")], encoding, monkeypatch)
        found.append(json.loads(printed.out.encode(encoding).decode("utf-8")))
    assert found[0] == found[1] == found[2]
    assert all(row["hotkey"].startswith(HOSTILE) for row in found[0])


def test_a_table_shows_markup_and_emoji_as_text(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the end of a hotkey: a cell shows 80 characters
    query = """SELECT hotkey[position('[bold' IN hotkey):] AS "[b]:fire:" FROM responses LIMIT 1"""
    words = ["sql", query, "--store", str(hostile / f"store{NAME}")]
    printed = run(words, "utf-8", monkeypatch)
    assert "[b]:fire:" in printed.out
    assert "[bold red]:fire:é日5" in printed.out


def test_csv_is_escaped_and_whole_with_raw(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["sql", "SELECT hotkey, slot FROM responses LIMIT 3", "--format", "csv"]
    words += ["--store", str(hostile / f"store{NAME}")]
    for encoding in ENCODINGS:
        raw = run([*words, "--raw"], encoding, monkeypatch)
        assert raw.err == ""
        rows = list(csv.DictReader(io.StringIO(raw.out, newline="")))
        assert [row["hotkey"].startswith(HOSTILE) for row in rows] == [True] * 3
    cleaned = run(words, "utf-8", monkeypatch)
    assert [row["hotkey"] for row in csv.DictReader(io.StringIO(cleaned.out))] == [
        printable(row["hotkey"]) for row in rows
    ]
    assert "3 values" in cleaned.err
    monkeypatch.setattr(Terminal, "isatty", lambda _self: True)
    assert not hidden(run([*words, "--raw"], "utf-8", monkeypatch).out)


def test_raw_is_for_csv(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run(["sql", "SELECT 1", "--raw"], "utf-8", monkeypatch)
    assert (printed.status, "--raw" in printed.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain, é 日 🔥", "plain, é 日 🔥"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\u3164\u115f", "\\u3164\\u115f"),
        ("one\ntwo\r", "one\\ntwo\\r"),
        ("\ud800", "\\ud800"),
        ("\U000e0041\U000e0100", "\\U000e0041\\U000e0100"),
    ],
)
def test_what_does_not_show_is_escaped(text: str, safe: str) -> None:
    assert printable(text) == safe
    assert is_printable(safe)


def test_a_limit_is_of_what_is_shown() -> None:
    assert printable("\x1b" * 100, 10) == "\\x1b\\x1b\\…"
    assert printable("abc", 3) == "abc"
    assert printable("abcd", 3) == "ab…"


def test_a_progress_bar_shows_its_label_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ENCODINGS:
        stream = Terminal(encoding)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stream)
            patched.setattr(sys, "stdout", stream)
            patched.setattr(data.terminal.errors, "_force_terminal", True)
            patched.setattr(data.terminal.errors, "is_interactive", True)
            data.terminal.open_terminal()
            with data.terminal_progress.progress(f"label{HOSTILE}", 3) as on_progress:
                on_progress(3)
        shown = stream.text()
        assert "label" in shown
        assert "🔥" not in shown
        assert "\x1b[2J" not in shown
        assert "\x9b" not in shown


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("progress", ["work: 400 to do", "work, half: 200 of 400, 20/s, about 10 s left"]),
        (
            "byte_progress",
            ["work: 0.0 MB to do", "work, half: 0.0 MB of 0.0 MB, 0.0 MB/s, about 10 s left"],
        ),
    ],
)
def test_elsewhere_progress_is_a_line_every_few_seconds(
    kind: str, said: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 0.1, 10.0, 10.1, 14.9])
    monkeypatch.setattr("data.terminal_progress.time.monotonic", lambda: next(clock))
    with getattr(data.terminal_progress, kind)("work", 400) as report:
        report(1, "half")
        report(199)
        report(1)
        report(1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[:2] == said
    assert lines[2] == "work: done"


ELSEWHERE = """
import os
import sys
import streetreplay
from pathlib import Path
from tests.worlds.hostile_store import quick_commands
for words in quick_commands(Path(sys.argv[1])):
    # as a shell of this locale hands them over
    given = [os.fsdecode(word.encode("utf-8", "surrogateescape")) for word in words]
    sys.argv = ["streetreplay", *given]
    try:
        streetreplay.main()
    except SystemExit as stop:
        print(stop.code, file=sys.stderr)
"""


def test_the_c_locale_without_utf8_ends_in_no_exception(hostile: Path, tmp_path: Path) -> None:
    script = tmp_path / "all.py"
    script.write_text(ELSEWHERE, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(hostile)],
        env=os.environ
        | plain
        | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
        | {STORE_VARIABLE: str(hostile / f"store{NAME}")},
        capture_output=True,
        check=False,
    )
    out, err = done.stdout.decode("ascii"), done.stderr.decode("ascii")
    assert done.returncode == 0, err
    assert "this is a bug" not in err, err
    assert not hidden(out + err)
