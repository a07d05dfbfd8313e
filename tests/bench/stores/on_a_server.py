"""What a store on a server adds to a command that changes nothing, and what a first fetch takes.

`python -m tests.bench.stores.on_a_server [CHALLENGES] [RUN_FILES]`: `sql 'SELECT 1'` on a folder
and on a copy of it on a local S3 server (moto's, in a process of its own), in turns; the fastest of
each counts, in seconds on the clock and of this machine's processors (the server's not counted).
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from data.remote_store.working_copy import COPIES_VARIABLE
from data.terminal import print_json
from tests.bench.dashboards.page_queries import made
from tests.conftest import ROOT
from tests.data.sources.s3_server import environment, s3_server

_ROUNDS = 7


def main() -> None:
    """Print a line of JSON."""
    challenges, files = (int(word) for word in (*sys.argv[1:], "10000", "1000")[:2])
    with tempfile.TemporaryDirectory() as name, s3_server(Path(name)) as server:
        folder = Path(name) / "store"
        made(folder, challenges)
        parts = folder / "runs" / "replay-0" / "parts"
        parts.mkdir(parents=True)
        for number in range(files):
            (parts / f"part-{number:05d}.parquet").write_bytes(os.urandom(10_000))
        url = server.put(folder, "bench/store")
        there = {**os.environ, **environment(server.port), COPIES_VARIABLE: f"{name}/copies"}
        first, _ = _seconds(url, there)
        rounds = [(_seconds(str(folder), os.environ), _seconds(url, there)) for _ in range(_ROUNDS)]
        here, remote = (min(times) for times in zip(*rounds, strict=True))
        here_cpu, remote_cpu = (min(cpu for _, cpu in times) for times in zip(*rounds, strict=True))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = {
        "challenges": challenges,
        "run_files": files,
        "megabytes": round(size / 10**6, 1),
        "first_fetch_s": round(first, 2),
        "folder_s": round(here[0], 2),
        "server_s": round(remote[0], 2),
        "ratio": round(remote[0] / here[0], 2),
        "folder_cpu_s": round(here_cpu, 2),
        "server_cpu_s": round(remote_cpu, 2),
    }
    print_json(found)


def _seconds(store: str, variables: Mapping[str, str | None]) -> tuple[float, float]:
    """Seconds of the command on the clock, and of processors."""
    command = [sys.executable, "-m", "streetreplay", "sql", "SELECT 1", "--store", store]
    given = {name: value for name, value in variables.items() if value is not None}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, env=given, stdout=subprocess.DEVNULL)
    taken, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
