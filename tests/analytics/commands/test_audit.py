"""The command `audit`: its JSON, its report for people, its exit status."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from analytics.audit.verdicts import AFTER_GAP
from analytics.commands import audit
from analytics.ingest.ingest import ingest
from data.store import Store
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame
from tests.worlds.audit_logs import COLUMNS, filled, kept, tampered
from tests.worlds.wandb_runs import write_media_files, write_run


def run(store: Store, *words: str) -> Any:
    return CliRunner().invoke(audit.app, [*words, "--store", str(store.root)])


def test_json_has_the_keys_that_programs_count_on(tmp_path: Path, golden: Path) -> None:
    records, wanted = tampered(golden_records(golden, "e5"), 3, np.random.default_rng(0))
    result = run(filled(tmp_path, records), "--json", "--from-start")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert list(report) == ["checked", "unchecked", "mismatches", "sources"]
    assert tuple(report["checked"]) == COLUMNS
    assert [list(mismatch) for mismatch in report["mismatches"]] == [
        ["file", "position", "slot", "uid", "column", "logged", "expected"]
    ] * len(wanted)


def test_the_report_for_people_names_gaps_and_bounds_its_list(tmp_path: Path, golden: Path) -> None:
    left, _ = kept(golden_records(golden, "e9"), {30})
    records, _ = tampered(left, 60, np.random.default_rng(1))
    result = run(filled(tmp_path, records))
    assert result.exit_code == 1
    assert "at least 1 record missing" in result.output
    assert "more wrong numbers: --json lists all" in result.output
    assert AFTER_GAP in result.output


def test_a_right_log_exits_with_0(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    result = run(store)
    assert (result.exit_code, "0 wrong" in result.output) == (0, True)


def test_two_copies_of_a_number_that_differ_are_said(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    records = golden_records(golden, "e9")[:40]
    ingest(store, [write_run(tmp_path / "run", "ab12cd34", records, started=datetime.now(UTC))])
    result = run(store)
    assert result.exit_code == 0
    assert "equal, 0 differing; 0 only in a Media record" in " ".join(result.output.split())
    other = Store(tmp_path / "other")
    frame = history_frame(records)
    frame.loc[9, f"miner_mcc/uid_{records[9]['miner_uids'][0]}"] = 0.123
    write_media_files(tmp_path / "ab12cd34" / "media" / "html", records)
    frame.to_csv(tmp_path / "ab12cd34" / "history.csv", index=False)
    ingest(other, [tmp_path / "ab12cd34"])
    result = run(other)
    assert result.exit_code == 1
    assert "1 differing" in result.output
    assert "the relation audit_sources holds" in " ".join(result.output.split())
    assert json.loads(run(other, "--json").stdout)["sources"]["differing"] == 1
