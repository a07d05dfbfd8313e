"""10,000 spoiled records: none ends an ingest, none takes long, both readers agree: `python -m`.

Prints JSON: how many were accepted and rejected, and the slowest record by the strict reader.
"""

import json
import tempfile
import time
from pathlib import Path

from analytics.ingest.ingest import ingest
from analytics.ingest.settings import IngestSettings
from data.logs.json_logs import read_json_log
from data.store import Store
from tests.conftest import GOLDEN, golden_records
from tests.data.columnar.mutated_records import mutated_lines

RECORDS, SEED = 10_000, 15


def main() -> None:
    """Read them by both readers, and each alone by the strict one."""
    records = [record for era in ("e5", "e7", "e9") for record in golden_records(GOLDEN, era)[:50]]
    lines = list(mutated_lines(records, RECORDS, SEED))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        log = root / "log.jsonl"
        log.write_bytes(b"\n".join(lines))
        fast = ingest(Store(root / "fast"), [log])
        strict = ingest(Store(root / "strict"), [log], settings=IngestSettings(clean_lines=False))
        slowest = max(_milliseconds(root / "line.jsonl", line) for line in lines)
    report = {
        "records": RECORDS,
        "challenges_new": fast.challenges_new,
        "records_rejected": fast.records_rejected,
        "values_rejected": fast.values_rejected,
        "readers_agree": fast == strict,
        "slowest_milliseconds": round(slowest, 1),
    }
    print(json.dumps(report, indent=2))  # noqa: T201


def _milliseconds(path: Path, line: bytes) -> float:
    path.write_bytes(line)
    started = time.process_time()
    list(read_json_log(path, path.name))
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    main()
