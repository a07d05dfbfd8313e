"""A Ray cluster: reaching it, what its nodes have, and whether it still answers."""

import atexit
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from data.errors import RunError

HERE = "ray"
"""The cluster that this machine is of, or `RAY_ADDRESS` names; without one, Ray is started here."""

_KINDS = ("CPU", "GPU")
_NEW = "local"
_CLIENT_PORT = 10001
_CONNECT_SECONDS = 5.0
# Ray itself ends a process whose cluster has not answered for 60 seconds, without a clear line.
_SILENCE_SECONDS = 40.0


@dataclass(frozen=True)
class WorkerResources:
    """What each worker gets: `cpus` cores, and `gpus` devices, 0 for none."""

    cpus: int = 1
    gpus: int = 0

    def __str__(self) -> str:
        """For a person."""
        gpus = f", {self.gpus} GPU{'s' * (self.gpus != 1)}" if self.gpus else ""
        return f"{self.cpus} core{'s' * (self.cpus != 1)}{gpus}"


class RayCluster:
    """A cluster that this process is connected to."""

    def __init__(self, ray: ModuleType, endpoint: tuple[str, int]) -> None:
        """Keep the module, and the host and port that must go on answering."""
        self.ray, self._endpoint = ray, endpoint
        self._silent_since: float | None = None
        self.is_lost = False

    @property
    def address(self) -> str:
        """Where it is, for a person."""
        return "{}:{}".format(*self._endpoint)

    def check_answers(self) -> None:
        """Notice a head node that is gone.

        Raises:
            RunError: it has not answered for long.
        """
        now = time.monotonic()
        if _answers(*self._endpoint):
            self._silent_since = None
            return
        self._silent_since = self._silent_since or now
        if now - self._silent_since > _SILENCE_SECONDS:
            raise self.lost()

    def lost(self) -> RunError:
        """The error of a cluster that no longer answers; it is asked nothing more then."""
        self.is_lost = True
        return RunError(
            f"Ray cluster at {self.address}",
            found="no answer any more",
            expected="a head node that runs to the end",
            remedy="start the cluster again and run the same command: what a run has is kept",
        )

    def worker_resources(self, cpus: int, gpus: int | None) -> WorkerResources:
        """What each worker gets; `gpus` None means one if any node has some.

        Raises:
            RunError: no node has so much.
        """
        if gpus is None:
            gpus = int(any(node.get("GPU", 0) >= 1 for node in self._nodes()))
        resources = WorkerResources(cpus, gpus)
        if not self.worker_count(resources):
            most = {kind: max(int(node.get(kind, 0)) for node in self._nodes()) for kind in _KINDS}
            raise RunError(
                f"Ray cluster at {self.address}",
                found=f"nodes with at most {most['CPU']} CPUs and {most['GPU']} GPUs",
                expected=f"one with {resources}",
                remedy=f"see --worker-cpus{' and --worker-gpus' if gpus else ''}",
            )
        return resources

    def worker_count(self, resources: WorkerResources) -> int:
        """How many workers the nodes that are alive have room for."""
        count = 0
        for node in self._nodes():
            room = [node.get("CPU", 0) // resources.cpus]
            if resources.gpus:
                room.append(node.get("GPU", 0) // resources.gpus)
            count += int(min(room))
        return count

    def described(self, resources: WorkerResources, count: int) -> str:
        """So many workers of this cluster, for a person."""
        workers = f"{count} worker{'s' * (count != 1)} of {resources}"
        return f"{workers} on the Ray cluster at {self.address}"

    def _nodes(self) -> list[Mapping[str, float]]:
        """What each node that is alive has in all."""
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]


@contextmanager
def ray_cluster(address: str) -> Iterator[RayCluster]:
    """Connect to a cluster, and disconnect at the end.

    Args:
        address: `HERE`, or `ray://HOST[:PORT]` of a cluster's client server.

    Raises:
        RunError: the address is none of these, Ray is not installed, nobody answers at the address,
            or the cluster runs another version of Ray or Python.
    """
    if address != HERE and not address.startswith("ray://"):
        raise RunError("--on", found=repr(address), expected="local, ray or ray://HOST:PORT")
    ray = _ray()
    wanted = address if address != HERE else os.environ.get("RAY_ADDRESS") or _address_here()
    # other values of RAY_ADDRESS are words that Ray knows
    endpoint = _endpoint(wanted) if ":" in wanted else None
    if endpoint is not None and not _answers(*endpoint):
        raise RunError(
            f"--on {address}",
            found=f"no answer at {endpoint[0]}:{endpoint[1]}",
            expected="a Ray cluster",
            remedy="start one: `ray start --head` there",
        )
    # a cluster that is started here is for this command alone, and reports to nobody
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(address=wanted, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        words = " ".join(str(error).split())[:300]
        raise RunError(
            f"--on {address}", found=words, expected="a Ray cluster of the versions here"
        ) from None
    cluster = RayCluster(ray, endpoint or _endpoint(ray.get_runtime_context().gcs_address))
    try:
        yield cluster
    finally:
        if cluster.is_lost:
            # it would wait for the head until Ray ends this process
            atexit.unregister(ray.shutdown)
        else:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415  (an extra; and seconds to import)
    except ImportError:
        raise RunError(
            "--on ray",
            found="no Ray installed",
            expected="it",
            remedy="pip install 'streetreplay[cluster]', here and on every node",
        ) from None
    return ray


def _address_here() -> str:
    """The cluster that was last started on this machine, if it answers; else Ray's word for a new.

    Ray itself waits for ever for one that was killed (2.60: `ray.init`, `ray_current_cluster`).
    """
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    try:
        address = (Path(folder) / "ray" / "ray_current_cluster").read_text("utf-8").strip()
    except OSError:
        return _NEW
    return address if ":" in address and _answers(*_endpoint(address)) else _NEW


def _endpoint(address: str) -> tuple[str, int]:
    """Host and port of `ray://HOST[:PORT]` or `HOST:PORT`.

    Raises:
        RunError: it is neither.
    """
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("", "ray"):
        raise RunError(f"--on {address}", found="no host and port", expected="ray://HOST:PORT")
    return host, port or _CLIENT_PORT


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
