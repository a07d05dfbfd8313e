"""What the service lists and does not give costs itself alone, and is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.errors import LogError
from data.store import Store
from data.wandb_service.address import ServiceAddress
from data.wandb_service.download import download_runs
from tests.data.wandb_service.stub_runs import stub_run
from tests.data.wandb_service.stub_service import StubHandler, StubService
from tests.worlds.wandb_runs import write_media_files

Json = dict[str, Any]

PROJECT = ServiceAddress("natix", "streetvision")
KEY = ("natix", "streetvision")


def refusing(service: StubService, status: int, *names: str) -> None:
    """Answer requests for these media files with an HTTP status."""
    bases = tuple(name.rpartition("/")[2] for name in names)

    def before(handler: StubHandler, what: str) -> bool:
        if not what.endswith(bases):
            return False
        handler.reply(b"", status)
        return True

    service.before = before


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_file_that_is_refused_blocks_nothing(
    service: StubService, tmp_path: Path, e7: list[Json], status: int
) -> None:
    first, second = stub_run("ab12cd34", e7[:6]), stub_run("ef56ab78", e7[10:14])
    service.projects[KEY] = [first, second]
    lost = [name for name in first.files if "metadata_2_" in name]
    refusing(service, status, *lost)
    said: list[str] = []
    folders = download_runs(PROJECT, tmp_path / "d", on_run=said.append)
    assert [folder.name for folder in folders] == ["ab12cd34", "ef56ab78"]
    assert len(list((folders[0] / "media" / "html").iterdir())) == 5
    assert len(list((folders[1] / "media" / "html").iterdir())) == 4
    described = [json.loads((folder / "run.json").read_bytes()) for folder in folders]
    assert [one["whole"] for one in described] == [False, True]
    line = f"1 media file not downloaded, such as {lost[0][11:]}: HTTP status {status}"
    assert f"wandb://natix/streetvision/ab12cd34: {line}" in said
    store = Store(tmp_path / "store")
    (reject,) = ingest(store, folders).rejects
    assert f"media of step 2: found HTTP status {status} in the service" in reject["reason"]
    assert query(store, "SELECT count(*) FROM media").rows == [(9,)]
    service.before = lambda _handler, _what: False
    folders = download_runs(PROJECT, tmp_path / "d")
    assert json.loads((folders[0] / "run.json").read_bytes())["whole"]
    assert ingest(store, folders).rejects == []
    assert query(store, "SELECT count(*) FROM media").rows == [(10,)]


def test_a_refused_account_stops_it(service: StubService, tmp_path: Path, e7: list[Json]) -> None:
    run = stub_run("ab12cd34", e7[:3])
    service.projects[KEY] = [run]
    refusing(service, 401, *run.files)
    with pytest.raises(LogError, match="the API key refused"):
        download_runs(PROJECT, tmp_path)


def test_a_file_too_large_is_told_and_not_asked_for(
    service: StubService, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stub_run("ab12cd34", e7[:4])
    (large,) = (name for name in run.files if "metadata_1_" in name)
    run.files[large] += b" " * 10**5
    monkeypatch.setattr("data.wandb_service.media_files.MAX_RECORD_BYTES", 50_000)
    service.projects[KEY] = [run]
    said: list[str] = []
    folders = download_runs(PROJECT, tmp_path / "d", on_run=said.append)
    size = len(run.files[large])
    assert f"1 media file not downloaded, such as {large[11:]}: {size} bytes" in "\n".join(said)
    assert not any(path.endswith(large) for path in service.downloads)
    # asking again would not help
    assert json.loads((folders[0] / "run.json").read_bytes())["whole"]
    (reject,) = ingest(Store(tmp_path / "store"), folders).rejects
    assert f"media of step 1: found {size} bytes, over 50000" in reject["reason"]
    said.clear()
    download_runs(PROJECT, tmp_path / "d", on_run=said.append)
    assert said == ["wandb://natix/streetvision/ab12cd34: whole on disk"]


def test_a_run_whose_id_is_no_name_of_a_folder_is_told(
    service: StubService, tmp_path: Path, e7: list[Json]
) -> None:
    service.projects[KEY] = [stub_run(name, e7[:2]) for name in ("a+b", "..", "ab12cd34")]
    said: list[str] = []
    (folder,) = download_runs(PROJECT, tmp_path, on_run=said.append)
    assert folder.name == "ab12cd34"
    assert [line for line in said if "left out" in line] == [
        f"wandb://natix/streetvision: run '{name}' left out: no folder may have its id as name"
        for name in ("a+b", "..")
    ]


def test_what_a_run_json_of_anothers_says_is_text(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    run = tmp_path / "ab12cd34"
    write_media_files(run / "media" / "html", e7[:2])
    here = next((run / "media" / "html").glob("metadata_1_*")).name
    left_out = {
        "metadata_5_ab.html": "\x1b[31m" + "x" * 10**5,
        here: "HTTP status 404",
        "metadata_6_ab.html": 7,
        "../../metadata_7_ab.html": "HTTP status 404",
    }
    for value in (left_out, [1], "x", None):
        (run / "run.json").write_text(json.dumps({"id": "ab12cd34", "left_out": value}))
        rejects = ingest(store, [run]).rejects
        assert [one["position"] for one in rejects] == ([5] if value is left_out else [])
        assert all(one["reason"].isprintable() and len(one["reason"]) < 300 for one in rejects)
