"""`replay --on ray` on a cluster of several nodes on this machine."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.queries.user_sql import query
from data.store import Store
from tests.conftest import GOLDEN
from tests.data.cluster.ray_nodes import RayNodes, ray_nodes
from tests.made_once import golden_store, made_once
from tests.worlds.commands_in_forks import Command, run, start

CANDIDATE = "tests.replay.cluster.paced:Paced"
ANSWERS = "SELECT * FROM replay_variants ORDER BY ALL"


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    """A head without workers, and two nodes of one worker each."""
    with ray_nodes([0, 1, 1]) as running:
        yield running


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A replay by one process, without a cluster."""

    def make(folder: Path) -> None:
        store = golden_store(tmp_path_factory, folder, "e7")
        assert run(words(store), folder / "output").wait() == 0

    return Store(made_once(tmp_path_factory, "paced-replay", make))


@pytest.fixture
def golden_challenges(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Store:
    return golden_store(tmp_path_factory, tmp_path / "golden", "e7")


def words(store: Store, *options: str) -> list[str]:
    folders = [f"--store={store.root}", f"--sources={GOLDEN / 'e7' / 'sources'}"]
    return ["replay", f"--model={CANDIDATE}", "--variants=2", *folders, *options]


def on_ray(nodes: RayNodes, store: Store, output: Path, *options: str) -> Command:
    environment = {"RAY_ADDRESS": nodes.address}
    return start(words(store, "--on=ray", *options), output, environment)


def check_equal(store: Store, one_process: Store) -> None:
    """All answers are those of one process, each once, in equal files."""
    expected = query(one_process, ANSWERS).rows
    assert len(expected) > 400
    assert query(store, ANSWERS).rows == expected
    parts = {path.name: path.read_bytes() for path in store.runs.glob("*/parts/*")}
    assert parts == {path.name: path.read_bytes() for path in one_process.runs.glob("*/parts/*")}


def parts_written(store: Store) -> int:
    return len(list(store.runs.glob("*/parts/*.parquet")))


def test_two_nodes_answer_as_one_process(
    nodes: RayNodes, golden_challenges: Store, one_process: Store, tmp_path: Path
) -> None:
    command = on_ray(nodes, golden_challenges, tmp_path / "output")
    assert command.wait() == 0, command.errors
    assert f"2 workers of 1 core on the Ray cluster at {nodes.address}" in command.errors
    check_equal(golden_challenges, one_process)


def test_a_killed_nodes_parts_are_done_by_others(
    golden_challenges: Store, one_process: Store, tmp_path: Path
) -> None:
    with ray_nodes([0, 1, 1]) as nodes:
        command = on_ray(nodes, golden_challenges, tmp_path / "output")
        command.wait_for(lambda: parts_written(golden_challenges))
        nodes.kill(2)
        assert command.wait() == 0, command.errors
    check_equal(golden_challenges, one_process)


@pytest.mark.slow  # Ray's head may be restarted, so its silence is borne for 40 seconds
def test_a_run_whose_head_was_killed_goes_on_with_another_cluster(
    golden_challenges: Store, one_process: Store, tmp_path: Path
) -> None:
    with ray_nodes([1]) as nodes:
        command = on_ray(nodes, golden_challenges, tmp_path / "first")
        command.wait_for(lambda: parts_written(golden_challenges))
        nodes.kill(0)
        assert command.wait() == 1
        assert "found no answer any more" in command.errors[-1]
        assert "what a run has is kept" in command.errors[-1]
    done = parts_written(golden_challenges)
    assert 0 < done < 7
    with ray_nodes([1]) as nodes:
        command = on_ray(nodes, golden_challenges, tmp_path / "second")
        assert command.wait() == 0, command.errors
        assert any("were done by an earlier run" in line for line in command.errors)
    check_equal(golden_challenges, one_process)


def test_ctrl_c_leaves_a_run_that_goes_on_here(
    nodes: RayNodes, golden_challenges: Store, one_process: Store, tmp_path: Path
) -> None:
    command = on_ray(nodes, golden_challenges, tmp_path / "first")
    command.wait_for(lambda: parts_written(golden_challenges))
    command.signal(signal.SIGINT)
    assert command.wait() == 1
    assert command.errors[-1] == "streetreplay: aborted"
    assert run(words(golden_challenges), tmp_path / "second").wait() == 0
    check_equal(golden_challenges, one_process)


def test_a_client_of_a_distant_cluster_replays_too(
    nodes: RayNodes, golden_challenges: Store, one_process: Store, tmp_path: Path
) -> None:
    options = [f"--on={nodes.client_address}", "--workers=1"]
    command = run(words(golden_challenges, *options), tmp_path / "output")
    assert command.wait() == 0, command.errors
    check_equal(golden_challenges, one_process)


def test_what_a_cluster_cannot_do_is_one_line(
    nodes: RayNodes, golden_challenges: Store, tmp_path: Path
) -> None:
    def refusal(name: str, *options: str) -> str:
        command = on_ray(nodes, golden_challenges, tmp_path / name, *options)
        assert command.wait() == 1
        return command.errors[-1]

    assert refusal("gpu", "--worker-gpus=1").endswith(
        "found nodes with at most 1 CPUs and 0 GPUs; expected one with 1 core, 1 GPU; "
        "see --worker-cpus and --worker-gpus"
    )
    lacking = refusal("sources", f"--sources={tmp_path / 'empty'}")
    assert "no such folder" in lacking
    unheard = refusal("model", "--model=unheard:Of")
    assert "worker on" in unheard
    assert "no module 'unheard'" in unheard


def test_an_address_that_nobody_answers_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"ray://127.0.0.1:{unused.getsockname()[1]}"
        command = run(words(Store(tmp_path), f"--on={address}"), tmp_path / "output")
    assert command.wait() == 1
    assert command.errors == [
        f"streetreplay: --on {address}: found no answer at {address.removeprefix('ray://')}; "
        "expected a Ray cluster; start one: `ray start --head` there"
    ]
    command = run(words(Store(tmp_path), "--on=somewhere"), tmp_path / "other")
    assert "expected local, ray or ray://HOST:PORT" in command.errors[-1]
