"""What the machine keeps from being read is no fault of the log, and is read at the next try."""

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from data.logs import json_logs
from data.store import Store
from tests.worlds.simulated_logs import small_log


def test_a_log_that_could_not_be_read_to_its_end_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, store = tmp_path / "log.jsonl", Store(tmp_path / "store")
    log.write_text("\n".join(json.dumps(record) for record in small_log("E8", 6)))

    def failing(stream: io.BufferedReader) -> Any:
        yield from [stream.readline() for _ in range(4)]
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(json_logs, "lines_of", failing)
        first = ingest(store, [log])
    (reject,) = first.rejects
    assert (first.challenges_new, reject["position"]) == (4, 4)
    assert "Too many open files" in reject["reason"]
    second = ingest(store, [log])
    assert (second.challenges_new, second.rejects, second.logs_unchanged) == (2, [], 0)
    assert ingest(store, [log]).logs_unchanged == 1
