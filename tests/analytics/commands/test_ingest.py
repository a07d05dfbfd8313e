"""What `ingest` refuses."""

import json
import subprocess
from pathlib import Path

from data.store import STORE_VARIABLE
from tests.conftest import ROOT
from tests.worlds.commands_in_forks import completed

SAMPLE = ROOT / "data" / "sample" / "media_record.json"


def ingest(*words: object, store: Path) -> subprocess.CompletedProcess[str]:
    return completed(["ingest", *map(str, words)], {STORE_VARIABLE: str(store)})


def test_a_strict_ingest_publishes_all_or_nothing(tmp_path: Path) -> None:
    log, store = tmp_path / "log.jsonl", tmp_path / "store"
    record = json.dumps(json.loads(SAMPLE.read_text()))
    log.write_text(record + '\n{"label": 1, "\n')
    refused = ingest(log, "--strict", "--json", store=store)
    report = json.loads(refused.stdout)
    assert refused.returncode == 1
    assert (report["refused"], report["records_rejected"], report["eras"]) == (True, 1, [])
    assert not (store / "warehouse.duckdb").exists()
    assert ingest(SAMPLE, "--strict", store=store).returncode == 0
    before = (store / "warehouse.duckdb").read_bytes()
    again = ingest(log, "--strict", store=store)
    assert again.returncode == 1
    assert "nothing was published" in again.stdout
    assert (store / "warehouse.duckdb").read_bytes() == before
