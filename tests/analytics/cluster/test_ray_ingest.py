"""`ingest --on ray` on a cluster of several nodes on this machine."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from data.store import Store
from tests.analytics.cluster.logs_of_all_forms import differences, settle, write_logs
from tests.conftest import ROOT
from tests.data.cluster.ray_nodes import RayNodes, ray_nodes
from tests.made_once import made_once
from tests.worlds.commands_in_forks import Command, run, start
from tests.worlds.simulated_logs import small_log

ODD_NODES = str(ROOT / "tests" / "data" / "cluster" / "odd_nodes")
COPIES = 20


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    """A head without workers, and a node of one."""
    with ray_nodes([0, 1]) as running:
        yield running


def write_more_logs(folder: Path) -> None:
    """Logs of all forms, and one that several workers read."""
    write_logs(folder)
    lines = [json.dumps(record | {"path": "@copy@.jpg"}) for record in small_log("E7", 240)]
    with (folder / "long.jsonl").open("w") as file:
        for copy in range(COPIES):
            file.writelines(line.replace("@copy@", str(copy), 1) + "\n" for line in lines)
    settle(folder)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "logs-for-ray", write_more_logs)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Store:
    store = Store(tmp_path_factory.mktemp("one") / "store")
    assert ingest(store, [logs]).challenges_new > 240 * COPIES
    return store


def on_ray(nodes: RayNodes, store: Store, logs: Path, output: Path, *options: str) -> Command:
    words = ["ingest", str(logs), f"--store={store.root}", "--on=ray", *options]
    return start(words, output, {"RAY_ADDRESS": nodes.address})


def odd(kind: str) -> dict[str, str]:
    """The environment of an odd node."""
    return {"ODD_NODE": kind, "PYTHONPATH": f"{ODD_NODES}:{ROOT}"}


def check_done(command: Command) -> None:
    # some logs are broken
    assert command.wait() == 1, command.errors
    assert "challenges read from" in command.output


def test_a_client_of_two_workers_gets_the_store_of_one_process(
    nodes: RayNodes, store: Store, logs: Path, one_process: Store, tmp_path: Path
) -> None:
    words = ["ingest", str(logs), f"--store={store.root}", f"--on={nodes.client_address}"]
    with nodes.further():
        command = run([*words, "--workers=2"], tmp_path / "output")
    check_done(command)
    assert any("2 workers of 1 core on the Ray cluster at" in line for line in command.errors)
    assert differences(store, one_process) == {}


def test_what_a_node_that_dies_had_is_read_by_others(
    nodes: RayNodes, store: Store, logs: Path, one_process: Store, tmp_path: Path
) -> None:
    with nodes.further() as dying:
        command = on_ray(nodes, store, logs, tmp_path / "output")
        command.wait_for(lambda: list(store.scratch.glob("media-of-task-*")))
        nodes.kill(dying)
        check_done(command)
    assert differences(store, one_process) == {}


def test_what_no_node_has_is_read_here(
    nodes: RayNodes, store: Store, logs: Path, one_process: Store, tmp_path: Path
) -> None:
    # no other node has two cores
    with nodes.further(2, odd(f"without {logs}")):
        command = on_ray(nodes, store, logs, tmp_path / "output", "--worker-cpus=2")
        check_done(command)
    assert differences(store, one_process) == {}
    told = [line for line in command.errors if ": No such file or directory; " in line]
    assert len(told) == 1
    assert "no node is left that has the logs: they are read here" in command.errors


def test_ctrl_c_publishes_nothing(
    nodes: RayNodes, store: Store, logs: Path, tmp_path: Path
) -> None:
    command = on_ray(nodes, store, logs, tmp_path / "output")
    command.wait_for(lambda: list(store.scratch.glob("media-of-task-*")))
    command.signal(signal.SIGINT)
    assert command.wait() == 1
    assert command.errors[-1] == "streetreplay: aborted"
    assert not store.scratch.exists()
    assert list(store.root.glob("warehouse*")) == [store.root / "warehouse.lock"]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (
            "without project",
            "found ModuleNotFoundError: No module named 'data'; expected StreetReplay as it is "
            "installed here; pip install 'streetreplay[cluster]' on every node, of the same "
            "version",
        ),
        ("other version", "found orjson 0.0.1; expected "),
    ],
)
def test_a_node_that_would_read_otherwise_is_refused(
    nodes: RayNodes, store: Store, logs: Path, tmp_path: Path, kind: str, line: str
) -> None:
    # no other node has two cores
    with nodes.further(2, odd(kind)):
        command = on_ray(nodes, store, logs, tmp_path / "output", "--worker-cpus=2")
        assert command.wait() == 1
    assert command.errors[-1].startswith("streetreplay: worker on ")
    assert line in command.errors[-1]
    assert not store.warehouse.exists()


def test_an_address_that_nobody_answers_is_one_line(tmp_path: Path, logs: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        command = run(["ingest", str(logs), f"--on=ray://{address}"], tmp_path / "output")
    assert command.wait() == 1
    assert command.errors == [
        f"streetreplay: --on ray://{address}: found no answer at {address}; expected a Ray "
        "cluster; start one: `ray start --head` there"
    ]
