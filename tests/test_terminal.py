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
from typing import Any

import numpy as np
import pytest
from PIL import Image

import data.terminal
import streetreplay
from analytics.warehouse.connection import writing
from analytics.warehouse.ingest import ingest
from data.store import STORE_VARIABLE, Store
from data.text import is_printable, printable
from tests.conftest import GOLDEN, ROOT, golden_records
from tests.worlds.replays import ids_by_position, publish_replay

# Clears a screen, sets a title, turns text around, hides a letter; markup and an emoji of `rich`;
# letters that cp1252 and ASCII lack.
HOSTILE = "\x1b[2J\x1b]0;title\x07\r\x9b31m\x7f\u202e\u2066\u200b\ufe0f\u3164[bold red]:fire:é日"
ENCODINGS = ("cp1252", "utf-8", "ascii")
# A file's name holds no NUL and no slash; anything else it may.
NAME = HOSTILE.encode("utf-8").decode("utf-8")


@dataclass(frozen=True)
class Printed:
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a log whose every text field, file name and model name is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    store = Store(folder / f"store{NAME}")
    log = folder / f"log{NAME}.jsonl"
    records = golden_records(GOLDEN, "e9")[:16]
    lines = [json.dumps(_hostile(record)) for record in records]
    wild = json.dumps(_everywhere(records[0]))
    broken = f'{{"label": "{HOSTILE}\n{{"label": 1, "{HOSTILE}": '
    log.write_text("\n".join([*lines, wild, broken]), encoding="utf-8")
    ingest(store, [log])
    store.sources.mkdir()
    (store.sources / f"shard{NAME}.parquet").write_bytes(b"no parquet")
    ids = list(ids_by_position(store).values())
    for run in ("replay-a", "replay-b"):
        guesses = np.random.default_rng(len(run)).random(len(ids))
        publish_replay(store, dict(zip(ids, guesses.tolist(), strict=True)), run)
    with writing(store) as writer:
        writer.connection.execute("UPDATE replay_runs SET model = ?", [f"model{HOSTILE}"])
    Image.new("RGB", (64, 48)).save(folder / f"photo{NAME}.png")
    return folder


def _hostile(record: dict[str, Any]) -> dict[str, Any]:
    """What may say anything while the record stays one that is scored and compared."""
    free = {"source_parquet", "city_name", "scene_description", "video_info.vid_id"}
    metadata = {
        key: f"{HOSTILE}{value}{HOSTILE}.parquet"
        if key in free or key.startswith("scene_level_tags")
        else value
        for key, value in record["metadata"].items()
    }
    hotkeys = [f"{HOSTILE}{hotkey}" for hotkey in record["miner_hotkeys"]]
    return record | {"metadata": metadata, "miner_hotkeys": hotkeys}


def _everywhere(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _everywhere(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_everywhere(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


SLOW = ("audit", "miners", "leaks", "replay", "render", "train", "views")


def quick(folder: Path) -> list[list[str]]:
    """Those commands that take no second each, in every way of printing."""
    return [
        words
        for words in commands(folder)
        if not set(SLOW).intersection(words) and "--slices" not in words
    ]


def commands(folder: Path) -> list[list[str]]:
    """Every command, some of them failing, with hostile names of files where they take any."""
    store = ["--store", str(folder / f"store{NAME}")]
    query = "SELECT file, city, scene_description, weather, hotkey, reason FROM media "
    query += "LEFT JOIN responses USING (challenge_id) LEFT JOIN rejects USING (file) LIMIT 300"
    columns = f'SELECT 1 AS "{HOSTILE}", [city] AS l FROM media'  # noqa: S608
    out = str(folder / f"out{NAME}")
    return [
        ["ingest", str(folder / f"log{NAME}.jsonl"), "--store", str(folder / "second")],
        ["ingest", str(folder / f"nowhere{NAME}"), *store],
        ["sql", query, *store],
        ["sql", query, "--format", "csv", *store],
        ["sql", query, "--format", "json", *store],
        ["sql", columns, *store],
        ["sql", columns, "--format", "csv", *store],
        ["sql", f"SELECT {HOSTILE}", *store],
        ["audit", *store],
        ["audit", "--from-start", *store],
        ["audit", "--json", *store],
        ["miners", *store],
        ["miners", "--json", *store],
        ["leaks", *store],
        ["leaks", "--json", *store],
        ["sources", *store],
        ["sources", "--json", *store],
        ["render", "--out", out, "--sheet", f"{out}.png", "--limit", "3", *store],
        ["render", "--out", out, "--json", "--limit", "3", *store],
        ["render", HOSTILE, "--out", out, *store],
        ["replay", "--model", "orange", "--limit", "3", *store],
        ["replay", "--model", f"hf:./{HOSTILE}", *store],
        ["replay", "--model", f"{HOSTILE}:x", *store],
        ["compare", "replay-a", "--slices", "--draws", "100", "--against", "replay-b", *store],
        ["compare", "replay-a", "--draws", "100", "--json", *store],
        ["compare", HOSTILE, *store],
        ["views", str(folder / f"photo{NAME}.png"), "--out", f"{out}-views.png"],
        ["train", "--out", f"{out}-model", *store],
        ["describe", out],
        ["describe", "--json"],
        ["demo"],
        [HOSTILE],
        ["sql", "1", f"--{HOSTILE}"],
        ["compare", "--draws", HOSTILE],
        ["--debug", "compare", HOSTILE, *store],
        ["--help"],
        ["train", "--help"],
    ]


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
    for words in commands(hostile) if encoding == "ascii" else quick(hostile):
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
            with data.terminal.progress(f"label{HOSTILE}", 3) as on_progress:
                on_progress(3)
        shown = stream.text()
        assert "label" in shown
        assert "🔥" not in shown
        assert "\x1b[2J" not in shown
        assert "\x9b" not in shown


ELSEWHERE = """
import os
import sys
import streetreplay
import tests.test_terminal as test
from pathlib import Path
for words in test.quick(Path(sys.argv[1])):
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
