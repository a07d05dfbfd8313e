"""`ingest wandb://ENTITY/PROJECT`, by W&B's real client from a stub of its service on loopback."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.store import STORE_VARIABLE, Store
from tests.conftest import golden_records
from tests.data.validators.hotkeys import Hotkey
from tests.data.wandb_service.stub_runs import STARTED, add_challenge, stub_run
from tests.data.wandb_service.stub_service import StubHandler, StubService, account, serving
from tests.worlds.commands_in_forks import completed, start
from tests.worlds.wandb_runs import write_run

Json = dict[str, Any]

KEY = ("natix", "streetvision")
PROJECT = "wandb://natix/streetvision"
STORED = (
    "SELECT run_id, step, time, challenge_id, era FROM media ORDER BY ALL",
    "SELECT * EXCLUDE (segment) FROM miner_series ORDER BY ALL",
    "SELECT run_id, hotkey, validator_uid, alpha, sample_size, signature FROM runs ORDER BY ALL",
)


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


@pytest.fixture
def service() -> Iterator[StubService]:
    with serving(StubService()) as stub:
        yield stub


@pytest.fixture
def environment(service: StubService, tmp_path: Path) -> dict[str, str | None]:
    return {**account(service, tmp_path), STORE_VARIABLE: str(tmp_path / "store")}


def stored(store: Store) -> list[Any]:
    """What a store holds, whatever form it came in; NaN equals NaN."""
    return [json.dumps(query(store, asked).rows, default=str) for asked in STORED]


def test_the_service_gives_what_the_runs_own_log_gives(
    service: StubService,
    environment: dict[str, str | None],
    tmp_path: Path,
    store: Store,
    e7: list[Json],
) -> None:
    neuron = {"moving_average_alpha": 0.05, "sample_size": 10}
    config = Hotkey("validator").config("ab12cd34", uid=4, neuron=neuron)
    service.projects[KEY] = [
        stub_run("ab12cd34", e7[:25], config=config),
        stub_run("ef56ab78", e7[25:40]),
    ]
    lines = tmp_path / "more.jsonl"
    lines.write_text("".join(json.dumps(record) + "\n" for record in e7[40:45]))
    done = completed(["ingest", PROJECT, lines, "--json"], environment)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["challenges_new"], report["series_steps_new"], report["runs"]) == (45, 40, 2)
    own = tmp_path / "own"
    write_run(own / "a", "ab12cd34", e7[:25], started=STARTED, config=config)
    write_run(own / "b", "ef56ab78", e7[25:40], started=STARTED)
    ingest(store, [own, lines])
    assert stored(Store(tmp_path / "store")) == stored(store)
    again = completed(["ingest", f"{PROJECT}/ab12cd34", "--json"], environment)
    assert not json.loads(again.stdout)["changed"]


def test_a_run_that_grew_between_two_ingests(
    service: StubService, environment: dict[str, str | None], tmp_path: Path, e7: list[Json]
) -> None:
    run = stub_run("ab12cd34", e7[:20], state="running")
    service.projects[KEY] = [run]
    assert completed(["ingest", PROJECT], environment).returncode == 0
    for step in range(20, 30):
        add_challenge(run, e7[step], step)
    run.state, run.heartbeat = "finished", "2026-01-02T00:00:00Z"
    done = completed(["ingest", PROJECT, "--json"], environment)
    report = json.loads(done.stdout)
    assert (report["challenges_new"], report["series_steps_new"]) == (10, 10)
    store = Store(tmp_path / "store")
    counted = "SELECT segment, count(*), count(DISTINCT step), count(time) FROM media GROUP BY ALL"
    assert query(store, counted).rows == [(0, 30, 30, 30)]
    assert query(store, "SELECT count(*) FROM miner_series WHERE logged").rows == [(300,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_after_ctrl_c_or_a_kill_the_same_again_goes_on(
    service: StubService,
    environment: dict[str, str | None],
    tmp_path: Path,
    e7: list[Json],
    number: signal.Signals,
) -> None:
    run = stub_run("ab12cd34", e7[:120])
    service.projects[KEY] = [run]
    command = start(["ingest", PROJECT], tmp_path / "first", environment)
    media = tmp_path / "store/downloads/wandb/natix/streetvision/ab12cd34/media/html"
    command.wait_for(lambda: media.is_dir() and len(list(media.iterdir())) > 20)
    command.signal(number)
    status = command.wait()
    assert status == (1 if number == signal.SIGINT else -number)
    assert len(command.errors) == (3 if number == signal.SIGINT else 2), command.errors
    there = {path.name for path in media.iterdir()}
    assert 20 < len(there) < 120
    service.downloads.clear()
    done = completed(["ingest", PROJECT, "--json"], environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["challenges_new"] == 120
    assert not {path.rpartition("/")[2] for path in service.downloads} & there


def test_ctrl_c_does_not_wait_for_the_service(
    service: StubService, environment: dict[str, str | None], tmp_path: Path, e7: list[Json]
) -> None:
    service.projects[KEY] = [stub_run("ab12cd34", e7[:20])]
    ends = Event()
    service.before = lambda _handler, what: what.startswith("/files/") and ends.wait(300)
    command = start(["ingest", PROJECT], tmp_path / "first", environment)
    command.wait_for(lambda: service.downloads)
    command.signal(signal.SIGINT)
    assert command.wait() == 1
    assert not ends.is_set()
    ends.set()
    assert command.errors[-1] == "streetreplay: aborted"


def refuse(handler: StubHandler, _what: str) -> bool:
    handler.reply(b'{"errors": [{"message": "user is not logged in"}]}', 401)
    return True


def test_an_error_is_one_line(
    service: StubService, environment: dict[str, str | None], tmp_path: Path
) -> None:
    service.projects[KEY] = []
    cases = {
        PROJECT: "no run with a challenge",
        "wandb://natix/unknown": "nothing of that name",
        f"{PROJECT}/unknown": "nothing of that name",
        "wandb://natix": "no such address",
        "wandb://natix/../x": "no such address",
        "https://wandb.ai/natix/streetvision/runs/ab12cd34": "try wandb://natix/streetvision/ab12",
    }
    for name, words in cases.items():
        done = completed(["ingest", name, "--json"], environment)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    service.before = refuse
    done = completed(["ingest", PROJECT], environment)
    assert "the API key refused" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    done = completed(["ingest", PROJECT], environment | {"WANDB_API_KEY": None})
    assert "no API key" in done.stderr
    assert not Store(tmp_path / "store").warehouse.exists()
