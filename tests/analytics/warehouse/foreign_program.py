"""Another program that opens a store's warehouse to write, as DuckDB's own shell does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRITES = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE notes AS SELECT range AS n FROM range(100)")
print("written", flush=True)
sys.stdin.read()
"""


@contextmanager
def writing_into(database: Path) -> Iterator[int]:
    """While the block runs it holds the file with changes in a log only; then it is killed.

    Yields its process id.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"written\n"
        try:
            yield program.pid
        finally:
            program.kill()
