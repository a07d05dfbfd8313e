"""The command line as a user meets it: help, output, errors, exit status."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import streetreplay
from data.store import STORE_VARIABLE
from tests.conftest import ROOT
from tests.worlds.commands_in_forks import completed

SAMPLE = ROOT / "data" / "sample" / "media_record.json"
COMMANDS = (
    "ingest",
    "sql",
    "audit",
    "miners",
    "leaks",
    "null-rates",
    "sources",
    "render",
    "replay",
    "compare",
    "gps-clusters",
    "views",
    "train",
    "finetune",
    "retrain",
    "describe",
    "champion",
    "weights",
    "export",
    "demo",
)


def run(*words: object, store: Path) -> subprocess.CompletedProcess[str]:
    return completed([str(word) for word in words], {STORE_VARIABLE: str(store)})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the one real record, and no source images."""
    store = tmp_path_factory.mktemp("filled")
    done = run("ingest", SAMPLE, store=store)
    assert done.returncode == 0, done.stderr
    return store


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(streetreplay.app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: streetreplay {command}" in " ".join(result.output.split())


def test_the_help_of_sql_names_every_relation() -> None:
    from analytics.warehouse.relations import RELATIONS  # noqa: PLC0415

    result = CliRunner().invoke(streetreplay.app, ["sql", "--help"])
    assert set(RELATIONS) <= set(re.findall(r"\w+", result.stdout))


def test_the_list_of_commands_is_this_tests_list() -> None:
    result = CliRunner().invoke(streetreplay.app, ["--help"])
    listed = result.output.split("Commands:")[1].splitlines()
    assert {line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "} == set(
        COMMANDS
    )


def imported(words: list[list[str]], modules: tuple[str, ...], store: Path) -> dict[str, list[str]]:
    """Which modules one process has imported after each of the commands that it runs in turn."""
    program = (
        "import json, sys, streetreplay\n"
        "imported = {}\n"
        f"for words in {words!r}:\n"
        "    sys.argv = ['streetreplay', *words]\n"
        "    try:\n        streetreplay.main()\n    except SystemExit: pass\n"
        f"    imported[' '.join(words)] = [name for name in {modules!r} if name in sys.modules]\n"
        "print(json.dumps(imported))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {STORE_VARIABLE: str(store)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    after: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return after


def test_help_waits_for_no_library_that_takes_seconds(filled: Path) -> None:
    helps = [["--help"], *([command, "--help"] for command in COMMANDS)]
    slow = ("torch", "numba", "scipy", "sklearn", "pandas", "polars", "numpy", "duckdb")
    assert imported(helps, slow, filled) == {" ".join(words): [] for words in helps}


def test_a_query_waits_for_no_array_library(filled: Path) -> None:
    arrays = ("numpy", "pandas", "polars", "pyarrow")
    assert imported([["sql", "SELECT 1"]], arrays, filled) == {"sql SELECT 1": []}


def test_reading_and_querying_never_import_torch(filled: Path) -> None:
    words = [["ingest", str(SAMPLE)], ["sql", "SELECT 1"], ["compare"]]
    assert imported(words, ("torch",), filled) == {" ".join(each): [] for each in words}


def test_ingest_reports_in_json_and_on_standard_output_alone(tmp_path: Path) -> None:
    done = run("ingest", SAMPLE, "--json", store=tmp_path)
    report = json.loads(done.stdout)
    assert (report["challenges_new"], report["records_rejected"]) == (1, 0)
    assert done.returncode == 0
    assert "reading: done" in done.stderr


def test_ingest_with_rejects_ends_in_status_1_and_shows_them(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"label": 1, "\n' + json.dumps(json.loads(SAMPLE.read_text())))
    done = run("ingest", log, store=tmp_path / "store")
    assert done.returncode == 1
    assert "1 challenges read" in done.stdout
    assert "found broken text" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("output_format", ["table", "csv", "json"])
def test_sql_in_each_format(filled: Path, output_format: str) -> None:
    query = "SELECT uid, hotkey, prediction, NULL AS none FROM responses ORDER BY slot LIMIT 2"
    done = run("sql", query, "--format", output_format, store=filled)
    assert done.returncode == 0, done.stderr
    expected: list[dict[str, Any]] = [
        {
            "uid": 4,
            "hotkey": "5DfAKvmKf5yw9o91MFt5sX6V8jUq5sAayczekL3SN6abk6xR",
            "prediction": 1.0,
            "none": None,
        },
        {
            "uid": 47,
            "hotkey": "5Fvid3SwdMsn4Tmm8BaZQLkfQjx34456bb8APMfWwrdWWhFQ",
            "prediction": 1.0,
            "none": None,
        },
    ]
    if output_format == "json":
        assert json.loads(done.stdout) == expected
    elif output_format == "csv":
        found = list(csv.DictReader(io.StringIO(done.stdout)))
        assert [row["uid"] for row in found] == ["4", "47"]
        assert found[0]["none"] == ""
    else:
        assert "5DfAKvmKf5yw9o91MFt5sX6V8jUq5sAayczekL3SN6abk6xR" in done.stdout


def test_sql_json_of_times_lists_and_numbers_that_json_lacks(filled: Path) -> None:
    query = "SELECT TIMESTAMP '2026-01-02 03:04:05' AS t, [1, 2] AS l, 'nan'::DOUBLE AS n, sum(1) s"
    done = run("sql", query, "--format", "json", store=filled)
    assert json.loads(done.stdout) == [{"t": "2026-01-02T03:04:05", "l": [1, 2], "n": None, "s": 1}]


def test_render_without_sources_says_so_for_each_challenge(filled: Path, tmp_path: Path) -> None:
    done = run("render", "--out", tmp_path / "out", "--json", store=filled)
    assert done.returncode == 1
    assert "found an image for none of them (shard missing 1)" in done.stderr
    (line,) = done.stdout.splitlines()
    rendered = json.loads(line)
    assert (rendered["fidelity"], rendered["reason"]) == ("impossible", "shard missing")
    assert rendered["detail"] == "train-00011-of-00026.parquet"
    assert rendered["files"] == rendered["pixels_sha256"] == rendered["jpeg_sha256"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sql", "SELECT 1"], "no warehouse"),
        (["ingest", "nowhere.json"], "nowhere.json"),
        (["compare", "latest"], "no warehouse"),
        (["gps-clusters"], "no warehouse"),
        (["null-rates"], "no warehouse"),
        (["sources"], "no warehouse"),
        (["replay", "--model", "orange"], "no warehouse"),
        (["replay", "--model", "nothing"], "expected one of: orange"),
        (["render", "--out", "out", "--sources", "nowhere"], "no warehouse"),
    ],
)
def test_a_failure_is_one_line_and_status_1(tmp_path: Path, words: list[str], message: str) -> None:
    done = run(*words, store=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sql", "SELECT nothing FROM media"], "nothing"),
        (["render", "no-such-id", "--out", "out"], "no such challenge"),
        (
            ["render", "deadbeef", "--limit", "5", "--out", "out"],
            "deadbeef: found no such",
        ),
        (
            ["render", "--limit", "0", "--out", "out"],
            "of 0 challenges: found an image",
        ),
        (["render", "--out", "out", "--sources", "nowhere"], "no such folder"),
        (["compare", "replay-x"], "found 0 finished replays"),
        (["gps-clusters", "--run", "replay-x"], "found 0 finished replays"),
        (["null-rates", "--sources", "nowhere"], "no such folder"),
    ],
)
def test_a_failure_on_a_filled_store_is_one_line_and_status_1(
    filled: Path, words: list[str], message: str
) -> None:
    done = run(*words, store=filled)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["nonsense"], ["ingest"], ["sql", "1", "--format", "xml"]])
def test_wrong_use_is_status_2(words: list[str], tmp_path: Path) -> None:
    assert run(*words, store=tmp_path).returncode == 2


def test_debug_shows_the_trace(tmp_path: Path) -> None:
    done = run("--debug", "sql", "SELECT 1", store=tmp_path)
    assert "Traceback" in done.stderr


def test_sigterm_is_one_line() -> None:
    program = (
        "import os, signal, sys, time, streetreplay\n"
        "@streetreplay.app.command()\n"
        "def stopped() -> None:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
        "sys.argv = ['streetreplay', 'stopped']\n"
        "streetreplay.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "streetreplay: aborted\n")


def test_sigterm_while_an_error_is_told_leaves_no_trace() -> None:
    program = (
        "import os, signal, sys, time, streetreplay\n"
        "def note(*_line: str, **_style: str) -> None:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
        "streetreplay.note = note\n"
        "sys.argv = ['streetreplay', 'sql', 'SELECT 1', '--store', '']\n"
        "streetreplay.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_bug_is_one_line_too(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def broken(*, standalone_mode: bool) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(streetreplay, "app", broken)
    monkeypatch.setattr(sys, "argv", ["streetreplay"])
    with pytest.raises(SystemExit) as stop:
        streetreplay.main()
    assert stop.value.code == 1
    error = " ".join(capfd.readouterr().err.split())
    assert "ZeroDivisionError: oops; this is a bug" in error
    assert "Traceback" not in error
