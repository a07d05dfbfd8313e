"""Clean JSON lines into a store, beside DuckDB's bare scan of the same file: `python -m` this.

Prints JSON: records a second of both, their ratio, and how time and memory grow with ten times the
log. An argument sets the number of records, 400,000 else.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.bench.ingest.long_log import write_log
from tests.bench.ingest.measured import as_json, ingested, scanned

RECORDS = 400_000


def main(records: int = RECORDS) -> None:
    """Measure a tenth of the records, then all."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        small, large = root / "small.jsonl", root / "large.jsonl"
        write_log(small, records // 10)
        write_log(large, records)
        tenth = ingested(small, root / "small-store")
        scan = scanned(large)
        whole = ingested(large, root / "large-store")
        report = {
            "megabytes": round(large.stat().st_size / 1e6),
            "bare_scan": as_json(scan),
            "ingest": as_json(whole),
            "ingest_of_a_tenth": as_json(tenth),
            "of_the_bare_scan": round(scan.seconds / whole.seconds, 3),
            "times_the_time": round(whole.seconds / tenth.seconds, 2),
            "times_the_memory": round(whole.mebibytes / tenth.mebibytes, 2),
        }
    print(json.dumps(report, indent=2))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
