"""A run folder of 2,000 steps, beside its HTML files one by one with Python's json: run with -m.

Prints JSON: seconds of `json` alone, of reading every item of the folder (transaction log and
media) by the strict reader and by the fast one, and of naming 1,000 files of equal names.
"""

import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from data.columnar.line_reader import CleanLineReader
from data.logs.discovery import find_logs, read_log
from data.logs.file_names import file_names
from tests.worlds.simulated_logs import simulated_log
from tests.worlds.wandb_runs import write_run

STEPS, NAMES, _REPEATS = 2000, 1000, 3


def main() -> None:
    """Measure each a few times and keep the fastest."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "run-20260101_120000-ab12cd34"
        records = list(simulated_log(15, "E8", STEPS, uids=128))
        write_run(folder, "ab12cd34", records, started=datetime(2026, 1, 1, tzinfo=UTC))
        (log,) = find_logs([folder])
        with_json = _seconds(lambda: _parse_each(folder / "files" / "media" / "html"))
        strict = _seconds(lambda: list(read_log(log, "x")))
        fast = _seconds(lambda: list(read_log(log, "x", CleanLineReader())))
    paths = [Path(f"/logs/{number}/a/b/x.jsonl") for number in range(NAMES)]
    report = {
        "json_one_by_one": with_json,
        "strict_reader": strict,
        "fast_reader": fast,
        "fast_reader_of_json": fast / with_json,
        "1000_equal_names": _seconds(lambda: file_names(paths)),
    }
    print(json.dumps({name: round(value, 4) for name, value in report.items()}))  # noqa: T201


def _parse_each(folder: Path) -> None:
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        json.loads(text[text.index("<pre>") + len("<pre>") : text.rindex("</pre>")])


def _seconds(work: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(once() for _ in range(_REPEATS))


if __name__ == "__main__":
    main()
