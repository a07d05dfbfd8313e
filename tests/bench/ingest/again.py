"""The same log again, and grown by a hundredth: `python -m` this.

Prints JSON: seconds of the first reading, of the second, and of reading what was added. An argument
sets the number of records, 40,000 else.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from data.terminal import print_json
from tests.bench.ingest.long_log import write_log
from tests.bench.ingest.measured import ingested

RECORDS = 40_000
_SETTLED_SECONDS = 60


def main(records: int = RECORDS) -> None:
    """Measure three readings."""
    with tempfile.TemporaryDirectory() as folder:
        whole, log, store = (Path(folder) / name for name in ("whole.jsonl", "log.jsonl", "store"))
        write_log(whole, records)
        lines = whole.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[: -(records // 100)]))
        _settle(log)
        first, again = ingested(log, store), ingested(log, store)
        with log.open("ab") as file:
            file.writelines(lines[-(records // 100) :])
        _settle(log)
        grown = ingested(log, store)
    print_json(
        {
            "records": records,
            "first_s": round(first.seconds, 3),
            "again_s": round(again.seconds, 3),
            "grown_s": round(grown.seconds, 3),
            "times_as_fast_again": round(first.seconds / again.seconds, 1),
            "times_as_fast_grown": round(first.seconds / grown.seconds, 1),
        },
        indent=2,
    )


def _settle(log: Path) -> None:
    now = time.time() - _SETTLED_SECONDS
    os.utime(log, (now, now))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
