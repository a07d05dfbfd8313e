"""A Ray cluster of several nodes on this machine, in a process of its own, and how to kill nodes.

As a program, `python -m tests.data.cluster.ray_nodes CPUS...` starts a head of the first number of
CPUs and a node of each other, and prints its addresses. Then it reads lines: of each that is a
number it kills that node; any other is JSON of the CPUs and the environment of a further node.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

import psutil

from tests.conftest import ROOT


@dataclass(frozen=True)
class RayNodes:
    """A running cluster: `address` for processes of this machine, `client_address` for all."""

    address: str
    client_address: str
    commands: IO[str]
    answers: IO[str]

    def kill(self, node: int) -> None:
        """Kill a node, 0 the head."""
        self._do(str(node))

    @contextmanager
    def further(self, cpus: int = 1, environment: Mapping[str, str] = {}) -> Iterator[int]:
        """A further node, with something else in its environment, to the block's end."""
        node = self._do(json.dumps([cpus, dict(environment)]))
        try:
            yield node
        finally:
            self.kill(node)

    def _do(self, command: str) -> int:
        self.commands.write(f"{command}\n")
        self.commands.flush()
        return int(self.answers.readline())


@contextmanager
def ray_nodes(cpus: Sequence[int]) -> Iterator[RayNodes]:
    """A cluster whose head has the first number of CPUs; all its processes end with the block."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        # else every second client server dies at its start here (Ray 2.60 with gRPC 1.85)
        "GRPC_ENABLE_FORK_SUPPORT": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", __name__, *map(str, cpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address, client_address = process.stdout.readline().split()
            yield RayNodes(address, client_address, process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(60)


def _kill(node: Any) -> None:
    """All processes of a node at once, workers too, as a power failure would."""
    for started in [started for kind in node.all_processes.values() for started in kind]:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(started.process.pid)
            for each in [*process.children(recursive=True), process]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()


def _serve(cpus: Sequence[int]) -> None:
    from ray._common.network_utils import find_free_port  # noqa: PLC0415
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    port = find_free_port()
    common: dict[str, Any] = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": cpus[0], "ray_client_server_port": port, **common},
    )
    nodes: list[Any] = [cluster.head_node]
    nodes += [cluster.add_node(num_cpus=count, **common) for count in cpus[1:]]
    cluster.wait_for_nodes()
    print(cluster.address, f"ray://127.0.0.1:{port}", flush=True)  # noqa: T201
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if isinstance(asked, int):
                _kill(nodes[asked])
            else:
                count, variables = asked
                asked = len(nodes)
                nodes.append(cluster.add_node(num_cpus=count, env_vars=variables, **common))
            print(asked, flush=True)  # noqa: T201
    finally:
        for node in nodes:
            node.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    _serve([int(word) for word in sys.argv[1:]])
