"""What an audit found is kept, with a digest of what it is of."""

from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.audit.kept_audit import kept_audit
from analytics.commands import audit
from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from analytics.warehouse.contents import contents_digest
from data.store import Store
from tests.conftest import golden_records
from tests.worlds.audit_logs import filled, kept


def run(store: Store, *words: str) -> None:
    CliRunner().invoke(audit.app, [*words, "--store", str(store.root)])


def contents(store: Store) -> str:
    with reading(store) as connection:
        return contents_digest(connection)


def test_holes_and_counts_are_those_of_the_report(tmp_path: Path, golden: Path) -> None:
    records, _ = kept(golden_records(golden, "e9"), {30})
    store = filled(tmp_path, records)
    assert kept_audit(store) is None
    run(store)
    found = kept_audit(store)
    assert found is not None
    assert (found.challenges, found.wrong, found.restarts) == (len(records), 0, 0)
    assert (found.holes, found.missing) == (1, 1)
    assert found.checked > 0
    assert found.contents == contents(store)


def test_other_logs_are_other_contents_and_the_same_logs_the_same(
    tmp_path: Path, golden: Path
) -> None:
    logs = [golden / "e9" / "challenges.jsonl", golden / "e7" / "challenges.jsonl"]
    once, twice = Store(tmp_path / "once"), Store(tmp_path / "twice")
    ingest(once, logs[:1])
    run(once)
    before = kept_audit(once)
    assert before is not None
    ingest(once, logs[1:])
    assert contents(once) != before.contents
    ingest(twice, logs[::-1])
    assert contents(once) == contents(twice)


def test_an_audit_of_one_log_run_is_not_that_of_the_store(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e7" / "wandb"])
    with reading(store) as connection:
        [(run_id,)] = connection.execute("SELECT DISTINCT run_id FROM media").fetchall()
    run(store, "--log-run", run_id)
    assert kept_audit(store) is None
    run(store)
    assert kept_audit(store) is not None


def test_how_it_was_audited_is_kept(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    run(store, "--alpha", "0.5", "--from-start")
    found = kept_audit(store)
    assert found is not None
    assert (found.alpha, found.from_start) == (0.5, True)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"made": 3}', b"\xff"])
def test_a_damaged_file_is_none(store: Store, golden: Path, content: bytes) -> None:
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    run(store)
    found = kept_audit(store)
    assert found is not None
    assert asdict(found)["validators"] == 1
    (store.audits / "last-audit.json").write_bytes(content)
    assert kept_audit(store) is None
