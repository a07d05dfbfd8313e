"""How long the shortest command takes beyond Python's start and DuckDB's import.

`python -m tests.bench.command_start [CHALLENGES] [STORE]`; the store is made where it is not there.
The two processes take turns, and the fastest of each counts.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data.terminal import print_json
from tests.bench.dashboards.page_queries import CHALLENGES, made
from tests.conftest import ROOT

ROUNDS = 9


def main() -> None:
    """Print a line of JSON."""
    challenges = int(sys.argv[1]) if len(sys.argv) > 1 else CHALLENGES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(sys.argv[2] if len(sys.argv) > 2 else folder)
        made(root, challenges)
        reference = [sys.executable, "-c", "import duckdb"]
        query = [sys.executable, "-m", "streetreplay", "sql", "SELECT 1", "--store", str(root)]
        rounds = [(_seconds(reference), _seconds(query)) for _ in range(ROUNDS)]
    least, taken = (min(times) for times in zip(*rounds, strict=True))
    found = {
        "import_duckdb_s": round(least, 3),
        "sql_select_1_s": round(taken, 3),
        "beyond_s": round(taken - least, 3),
    }
    print_json({"challenges": challenges, **found})


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
