"""Rejects of an ingest: bad values, records and logs are named and cost no other."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.errors import LogError
from data.store import Store
from tests.worlds.audit_logs import write_lines

Json = dict[str, Any]


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return query(store, sql).rows


def test_hostile_values_beside_a_good_record_cost_nothing_but_themselves(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    hostile = [json.loads(json.dumps(e7[1])) for _ in range(6)]
    hostile[0]["model_urls"] = ["\ud800"] * 10
    hostile[1] |= {key: [1] * 40_000 for key in ("miner_uids", "predictions", "rewards")}
    hostile[2]["metadata"] = "{}"
    hostile[3]["metadata"] = None
    hostile[4]["metadata"]["id"] = 10**30
    hostile[5]["scores"] = [1e300] * 60
    lines = [json.dumps(r) for r in [e7[0], *hostile, e7[2]]]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    report = ingest(store, [tmp_path / "x.jsonl"])
    assert report.challenges_new == 7
    assert (report.records_rejected, report.values_rejected) == (1, 3)
    kinds = "SELECT position, gps_null FROM media WHERE position IN (3, 4) ORDER BY 1"
    assert rows(store, kinds) == [(3, "unreadable"), (4, "null")]


def test_other_content_for_a_step_of_a_run_is_rejected_not_mixed_in(
    store: Store, golden: Path, tmp_path: Path
) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    ingest(store, [run])
    other = tmp_path / run.name
    shutil.copytree(run, other, copy_function=shutil.copyfile)
    (other / "files" / "media" / "html").chmod(0o755)
    (media,) = (other / "files" / "media" / "html").glob("metadata_3_*.html")
    media.chmod(0o644)
    text = media.read_text(encoding="utf-8").replace('"index": null', '"index": "x"')
    media.write_text(text, encoding="utf-8")
    report = ingest(store, [other])
    assert report.records_rejected == 1
    assert "other content for step 3 of run aw9setnr" in report.rejects[0]["reason"]
    assert rows(store, "SELECT count(*), count(other) FROM media") == [(40, 0)]


def test_bad_records_become_rejects_and_cost_no_neighbour(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    bad_gps = json.loads(json.dumps(e7[1]))
    bad_gps["metadata"]["gps"] = "__import__('os').system('x')"
    bad_gps["metadata"]["source_parquet"] = "../../etc/passwd"
    lines = [json.dumps(r) for r in (e7[0], bad_gps, e7[2])]
    (tmp_path / "x.jsonl").write_text("\n".join([*lines[:2], '{"label": 1, "pre', lines[2]]))
    report = ingest(store, [tmp_path / "x.jsonl"])
    assert (report.challenges_new, report.records_rejected, report.values_rejected) == (3, 1, 2)
    found = rows(store, "SELECT file, position, field, reason, excerpt FROM rejects ORDER BY ALL")
    assert [row[:3] for row in found] == [
        ("x.jsonl", 1, "gps"),
        ("x.jsonl", 1, "parquet"),
        ("x.jsonl", 2, None),
    ]
    assert all("expected" in row[3] for row in found)
    assert '{"label": 1' in found[2][4]
    assert rows(store, "SELECT gps_null, parquet FROM media WHERE position = 1") == [
        ("unreadable", None)
    ]
    mended = write_lines(tmp_path / "x.jsonl", [e7[0], e7[1], e7[2]])
    ingest(store, [mended])
    assert rows(store, "SELECT count(*) FROM rejects") == [(0,)]


def test_a_log_that_cannot_be_read_costs_no_other(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    write_lines(tmp_path / "logs" / "good.jsonl", e7[:1])
    (tmp_path / "logs" / "run-x.wandb").parent.mkdir(exist_ok=True)
    (tmp_path / "logs" / "b").mkdir()
    (tmp_path / "logs" / "b" / "run-x.wandb").write_bytes(b"nothing of W&B")
    (tmp_path / "logs" / "empty.json").write_bytes(b"")
    report = ingest(store, [tmp_path / "logs"])
    assert report.challenges_new == 1
    reasons = {row["file"]: row["reason"] for row in report.rejects}
    assert "expected a W&B transaction log" in reasons["run-x.wandb"]
    assert "found no record" in reasons["empty.json"]


@pytest.mark.parametrize("missing", ["nowhere.jsonl", "empty"])
def test_a_path_without_a_log_is_an_error_that_publishes_nothing(
    store: Store, tmp_path: Path, missing: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LogError, match="found"):
        ingest(store, [tmp_path / missing])
    assert not store.warehouse.exists()


@pytest.mark.parametrize(
    ("content", "found"), [(b"ORC rest", "an ORC table"), (b"\xfd7zXZ\0rest", "xz")]
)
def test_a_form_that_is_not_read_yet_is_named(
    store: Store, tmp_path: Path, content: bytes, found: str
) -> None:
    (tmp_path / "log.bin").write_bytes(content)
    with pytest.raises(LogError, match=found):
        ingest(store, [tmp_path / "log.bin"])
