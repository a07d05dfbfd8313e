"""Logs that are rotated, cut or mended between two readings."""

import json
from collections.abc import Sequence
from itertools import pairwise, permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.audit.audit import AuditReport, AuditSettings, audit
from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.store import Store
from tests.conftest import GOLDEN, golden_records

Json = dict[str, Any]
E7 = golden_records(GOLDEN, "e7")

PLACES = "SELECT file, count(*), count(DISTINCT position) FROM media GROUP BY ALL ORDER BY ALL"


def write(path: Path, records: Sequence[Json], rest: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records) + rest, encoding="utf-8")
    return path


def places(store: Store) -> list[tuple[Any, ...]]:
    return query(store, PLACES).rows


def audited(store: Store) -> AuditReport:
    with reading(store) as connection:
        return audit(connection, AuditSettings())


@pytest.mark.parametrize("grown", [0, 50])
@pytest.mark.parametrize("reads_old", ["with", "before", "after", "never"])
def test_a_rotated_log_is_two_logs(
    store: Store, tmp_path: Path, reads_old: str, grown: int
) -> None:
    log, old = tmp_path / "logs" / "challenges.jsonl", tmp_path / "logs" / "challenges.1.jsonl"
    # read when it had 150 records or all 200 of them, before it was rotated
    ingest(store, [write(log, E7[: 200 - grown])])
    write(old, E7[:200])
    write(log, E7[200:])
    order = {
        "with": [[log, old]],
        "before": [[old], [log]],
        "after": [[log], [old]],
        "never": [[log]],
    }
    for paths in order[reads_old]:
        assert not ingest(store, paths).rejects
    older = [("challenges.1.jsonl", 200, 200)]
    if reads_old == "never":
        older = [("challenges.jsonl#1", 200 - grown, 200 - grown)]
    if reads_old == "before":
        # its beginning bore the name that the new log has now
        older = [("challenges.jsonl#1", 200 - grown, 200 - grown)]
        older += [("challenges.1.jsonl", grown, grown)] if grown else []
    found = places(store)
    assert sorted(found) == sorted([*older, ("challenges.jsonl", 200, 200)])
    report = audited(store)
    assert not report.mismatches
    assert not ingest(store, order[reads_old][-1]).changed
    assert {row[0] for row in query(store, "SELECT file FROM logs").rows} >= {
        row[0] for row in found
    }


def test_the_golden_log_rotated_four_times_is_audited_without_a_mismatch(
    store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "challenges.jsonl"
    for start in range(0, 400, 100):
        ingest(store, [write(log, E7[start : start + 100])])
    assert places(store) == [
        ("challenges.jsonl", 100, 100),
        *[(f"challenges.jsonl#{number}", 100, 100) for number in (1, 2, 3)],
    ]
    report = audited(store)
    assert not report.mismatches
    assert query(store, "SELECT count(*) FROM media").rows == [(400,)]
    assert ingest(store, [write(log, E7)]).changed
    assert places(store) == [("challenges.jsonl", 400, 400)]
    assert not audited(store).mismatches


def test_a_log_cut_at_its_head_keeps_every_record_at_one_position(
    store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "challenges.jsonl"
    ingest(store, [write(log, E7[:10])])
    ingest(store, [write(log, E7[4:14])])
    assert places(store) == [("challenges.jsonl", 10, 10), ("challenges.jsonl#1", 4, 4)]


def test_rejects_of_a_rotated_log_stay_and_those_of_a_mended_one_go(
    store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "challenges.jsonl"
    ingest(store, [write(log, E7[:3], rest='{"label": 1, "pre')])
    ingest(store, [write(log, E7[3:5])])
    told = "SELECT file, position FROM rejects"
    assert query(store, told).rows == [("challenges.jsonl#1", 3)]
    ingest(store, [write(log, E7[3:5], rest='{"label": 1, "pre')])
    assert len(query(store, told).rows) == 2
    ingest(store, [write(log, E7[3:6])])
    assert query(store, told).rows == [("challenges.jsonl#1", 3)]


def test_a_clash_of_names_renames_what_was_rotated_too(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "a" / "challenges.jsonl"
    ingest(store, [write(log, E7[:3])])
    ingest(store, [write(log, E7[3:6])])
    ingest(store, [write(tmp_path / "b" / "challenges.jsonl", E7[6:9])])
    assert [row[0] for row in places(store)] == [
        "a/challenges.jsonl",
        "a/challenges.jsonl#1",
        "b/challenges.jsonl",
    ]


def test_what_was_replaced_never_shares_a_name_with_what_was_replaced_before(
    store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "challenges.jsonl"
    for start in (0, 20, 40):
        ingest(store, [write(log, E7[start : start + 20])])
    # what stood in `#1` has a log of its own again; `#2` is still taken
    ingest(store, [write(tmp_path / "kept.jsonl", E7[:20])])
    ingest(store, [write(log, E7[60:80])])
    assert places(store) == [
        ("challenges.jsonl", 20, 20),
        ("challenges.jsonl#2", 20, 20),
        ("challenges.jsonl#3", 20, 20),
        ("kept.jsonl", 20, 20),
    ]


RELATIONS = (
    "SELECT * EXCLUDE (file, position) FROM media ORDER BY ALL",
    "SELECT * FROM responses ORDER BY ALL",
    "SELECT * FROM miner_series ORDER BY ALL",
)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 59), max_size=3, unique=True).map(sorted), st.data())
def test_any_split_read_in_any_order_under_one_name_or_several_is_the_same_log(
    cuts: list[int], data: st.DataObject
) -> None:
    bounds = [0, *cuts, 60]
    pieces = [E7[start:end] for start, end in pairwise(bounds)]
    order = data.draw(st.sampled_from(list(permutations(range(len(pieces))))))
    one_name = data.draw(st.booleans())
    with TemporaryDirectory() as folder:
        whole, split = Store(Path(folder) / "whole"), Store(Path(folder) / "split")
        ingest(whole, [write(Path(folder) / "whole.jsonl", E7[:60])])
        for piece in order:
            name = "log.jsonl" if one_name else f"log-{piece}.jsonl"
            ingest(split, [write(Path(folder) / name, pieces[piece])])
        for relation in RELATIONS:
            assert query(split, relation).rows == query(whole, relation).rows
        assert sum(row[2] for row in places(split)) == 60
        assert not audited(split).mismatches
