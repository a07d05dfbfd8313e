"""Downloads by W&B's real client from a stub of its service on loopback."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from data.errors import LogError
from data.wandb_service import client
from data.wandb_service.address import ServiceAddress
from data.wandb_service.download import download_runs
from tests.data.wandb_service.stub_runs import add_challenge, stub_run
from tests.data.wandb_service.stub_service import StubHandler, StubRun, StubService

Json = dict[str, Any]

PROJECT = ServiceAddress("natix", "streetvision")
KEY = ("natix", "streetvision")


def rows(folder: Path) -> list[Json]:
    """The history on disk, keys in order and without those that hold nothing."""
    lines = (folder / "history.jsonl").read_text().splitlines()
    return [known(json.loads(line)) for line in lines]


def known(row: Json) -> Json:
    return {key: row[key] for key in sorted(row) if row[key] is not None}


def assert_whole(folder: Path, run: StubRun) -> None:
    """Every row and every file of a run is on disk, once, and nothing else."""
    assert rows(folder) == [known(row) for row in run.rows]
    media = {f"media/html/{path.name}": path for path in (folder / "media" / "html").iterdir()}
    assert {name: path.read_bytes() for name, path in media.items()} == run.files
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["config.yaml", "history.jsonl", "media", "run.json", "wandb-summary.json"]
    assert [path.name for path in (folder / "media").iterdir()] == ["html"]


def test_all_runs_of_a_project_in_whole_rows(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    config = {"uid": 4, "neuron": {"moving_average_alpha": 1e-5}, "text": "\ud800é"}
    runs = [stub_run("ab12cd34", e7[:30], config=config), stub_run("ef56ab78", e7[30:40], 7)]
    service.projects[KEY] = runs
    folders = download_runs(PROJECT, tmp_path / "d")
    assert folders == [tmp_path / "d" / "natix" / "streetvision" / run.id for run in runs]
    for folder, run in zip(folders, runs, strict=True):
        assert_whole(folder, run)
    # in pages by step, never a sample, never by key
    pages = [variables for name, variables in service.queries if name == "HistoryPage"]
    assert all(page["maxStep"] - page["minStep"] == page["pageSize"] for page in pages)


def test_history_comes_page_by_page(
    service: StubService, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_ROWS_A_PAGE", 7)
    monkeypatch.setattr(client, "_FILES_A_PAGE", 6)
    run = stub_run("ab12cd34", e7[:40])
    service.projects[KEY] = [run]
    (folder,) = download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)
    names = [name for name, _ in service.queries]
    assert names.count("HistoryPage") == 6
    assert names.count("RunFiles") == 7


def test_what_is_whole_is_not_asked_for_again(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    service.projects[KEY] = [stub_run("ab12cd34", e7[:5])]
    before = download_runs(PROJECT, tmp_path)
    service.queries.clear()
    service.downloads.clear()
    said: list[str] = []
    assert download_runs(PROJECT, tmp_path, on_run=said.append) == before
    assert {name for name, _ in service.queries} <= {"Viewer", "GetDefaultEntity", "Runs"}
    assert service.downloads == []
    assert said == ["wandb://natix/streetvision/ab12cd34: whole on disk"]


def test_of_a_run_that_grew_only_the_new_is_downloaded(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    """Also where its last row was not whole yet: the validator may add keys to a step."""
    run = stub_run("ab12cd34", e7[:20], state="running")
    last, late = run.rows[-1], f"miner_mcc/uid_{e7[19]['miner_uids'][0]}"
    value = last.pop(late)
    service.projects[KEY] = [run]
    address = ServiceAddress(*KEY, "ab12cd34")
    (folder,) = download_runs(address, tmp_path)
    assert_whole(folder, run)
    last[late] = value
    for step in range(20, 33):
        add_challenge(run, e7[step], step)
    run.state, run.heartbeat = "finished", "2026-01-02T00:00:00Z"
    new = set(list(run.files)[20:])
    service.downloads.clear()
    service.queries.clear()
    download_runs(address, tmp_path)
    assert_whole(folder, run)
    assert {path.partition("/ab12cd34/")[2] for path in service.downloads} == new
    asked = [variables["minStep"] for name, variables in service.queries if name == "HistoryPage"]
    assert asked == [19]


def test_a_finished_run_that_is_resumed_grows_too(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    run = stub_run("ab12cd34", e7[:5])
    service.projects[KEY] = [run]
    (folder,) = download_runs(PROJECT, tmp_path)
    add_challenge(run, e7[5], 5)
    run.heartbeat = "2026-01-02T00:00:00Z"
    download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)


def test_it_waits_as_long_as_the_service_says(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    run = stub_run("ab12cd34", e7[:4])
    service.projects[KEY] = [run]
    refused: dict[str, float] = {}
    waited: dict[str, float] = {}

    def too_many(handler: StubHandler, what: str) -> bool:
        name = "file" if what.startswith("/files/") else what
        if name not in ("HistoryPage", "file"):
            return False
        if name in refused:
            waited.setdefault(name, time.monotonic() - refused[name])
            return False
        refused[name] = time.monotonic()
        handler.reply(b'{"errors": [{"message": "rate limit"}]}', 429, Retry_After="1")
        return True

    service.before = too_many
    (folder,) = download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)
    # other files are not held up by the one that was refused
    assert waited["HistoryPage"] >= 1


def test_a_connection_that_is_cut_costs_nothing(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    run = stub_run("ab12cd34", e7[:12])
    service.projects[KEY] = [run]
    cut: set[str] = set()

    def cuts(handler: StubHandler, what: str) -> bool:
        if not what.startswith("/files/") or what in cut or len(cut) == 5:
            return False
        cut.add(what)
        content = service.content(what)
        assert content is not None
        handler.cut(content, len(content) // 2)
        return True

    service.before = cuts
    (folder,) = download_runs(PROJECT, tmp_path)
    assert len(cut) == 5
    assert_whole(folder, run)


def test_it_goes_on_where_it_was_stopped(
    service: StubService, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that never comes whole stops it; what came before is not asked for again."""
    monkeypatch.setattr("data.wandb_service.media_files._FIRST_PAUSE", 0.01)
    run = stub_run("ab12cd34", e7[:30])
    service.projects[KEY] = [run]
    bad = sorted(run.files)[-1]

    def cuts(handler: StubHandler, what: str) -> bool:
        if not what.endswith(bad.rpartition("/")[2]):
            return False
        handler.cut(run.files[bad], 10)
        return True

    service.before = cuts
    with pytest.raises(LogError, match="goes on where it stopped"):
        download_runs(PROJECT, tmp_path)
    folder = tmp_path / "natix" / "streetvision" / "ab12cd34"
    assert not json.loads((folder / "run.json").read_bytes())["whole"]
    there = {path.name for path in (folder / "media" / "html").iterdir()}
    assert len(there) >= 20
    assert rows(folder) == [known(row) for row in run.rows]
    service.before = lambda _handler, _what: False
    service.downloads.clear()
    download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)
    again = {path.rpartition("/")[2] for path in service.downloads}
    assert not again & there


@pytest.mark.parametrize("left", [0, 1, 100, 4000, 10**6])
def test_a_process_that_was_killed_leaves_nothing_that_is_kept(
    service: StubService, tmp_path: Path, e7: list[Json], left: int
) -> None:
    """Its last row is torn, its last file partial; a whole file is there with other bytes."""
    run = stub_run("ab12cd34", e7[:8])
    service.projects[KEY] = [run]
    (folder,) = download_runs(PROJECT, tmp_path)
    history = folder / "history.jsonl"
    history.write_bytes(history.read_bytes()[:left] + b'{"_step": 9')
    first = folder / "media" / "html" / sorted(run.files)[0].rpartition("/")[2]
    first.write_bytes(first.read_bytes()[:-1])
    partial = folder / "media" / ".partial-x"
    partial.mkdir()
    (partial / "metadata_0_ab.html").write_text("half")
    (folder / "run.json").unlink()
    download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)


def test_names_of_the_service_are_never_paths(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    run = stub_run("ab12cd34", e7[:2])
    evil = b"<pre>{}</pre>"
    run.listed = dict.fromkeys(
        (
            "media/html/metadata_5_../../../../../stolen.html",
            "media/html/metadata_5_ab/../../../stolen.html",
            "media/html/metadata_../x.html",
            "media/html/metadata_5_ab.html.exe",
            "media/html/metadata_5_ab\n.html",
            "media/html/metadata_5_ab\x00.html",
            "media/html/metadata_99999999999_ab.html",
        ),
        evil,
    )
    hostile = [StubRun(name, rows=run.rows) for name in ("..", ".", "../x", "a/b", "", ".hidden")]
    service.projects[KEY] = [run, *hostile]
    (folder,) = download_runs(PROJECT, tmp_path / "d")
    assert_whole(folder, run)
    assert {path.name for path in (tmp_path / "d").iterdir()} == {".lock", "natix"}
    assert not list(tmp_path.rglob("*stolen*"))


def test_a_run_without_a_challenge_is_left_out(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    """A project also holds the runs of what generates images."""
    rows = [{"_step": step, "_timestamp": 1.8e9, "t2i/time": 1.5} for step in range(3)]
    others = [StubRun("ef56ab78"), StubRun("aa11bb22", rows)]
    service.projects[KEY] = [*others, stub_run("ab12cd34", e7[:1])]
    for _ in range(2):
        (folder,) = download_runs(PROJECT, tmp_path)
        assert folder.name == "ab12cd34"


def test_exported_history_and_the_rest_are_one(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    """The service keeps older rows as Parquet, in which a row has the keys of all."""
    run = stub_run("ab12cd34", e7[:20])
    run.export(12)
    service.projects[KEY] = [run]
    (folder,) = download_runs(PROJECT, tmp_path)
    assert_whole(folder, run)
    assert [path for path in service.downloads if path.startswith("/exported/")]
