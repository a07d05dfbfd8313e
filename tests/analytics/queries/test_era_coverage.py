"""Era by validator: extent, challenges, holes and restarts, beside a count in Python."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ingest.ingest import ingest
from analytics.queries.era_coverage import COLUMNS, EraCoverage, coverage_rows, era_coverage
from analytics.warehouse.connection import reading
from analytics.warehouse.statements import statements
from data.store import STORE_VARIABLE, Store
from tests.conftest import golden_records
from tests.data.validators.hotkeys import Hotkey
from tests.worlds.commands_in_forks import completed
from tests.worlds.wandb_runs import write_run

Json = dict[str, Any]

STARTED = datetime(2025, 12, 20, tzinfo=UTC)
ONE, OTHER = Hotkey("one"), Hotkey("other")


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


def minute(number: int) -> datetime:
    return (STARTED + timedelta(minutes=number)).replace(tzinfo=None)


def test_what_is_missing_and_when_it_began_again(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    first = ONE.config("aaaa1111")
    write_run(tmp_path / "a", "aaaa1111", e7[:10], started=STARTED, config=first)
    for step in (3, 4, 7):
        for path in (tmp_path / "a" / "files" / "media" / "html").glob(f"metadata_{step}_*"):
            path.unlink()
    later, again = STARTED + timedelta(hours=1), ONE.config("bbbb2222")
    write_run(tmp_path / "b", "bbbb2222", e7[10:15], started=later, config=again)
    write_run(
        tmp_path / "c",
        "cccc3333",
        e7[20:26],
        started=STARTED,
        first_step=5,
        config=OTHER.config("x"),
    )
    lines = tmp_path / "more.jsonl"
    lines.write_text("".join(json.dumps(record) + "\n" for record in e7[30:33]))
    ingest(store, [tmp_path])
    with reading(store) as connection:
        found = era_coverage(connection)
    assert found == [
        EraCoverage("E7", ONE.address, None, minute(0), minute(64), 12, 2, 3, 1, ["keys, time"]),
        # the other did not sign it: nobody knows whose it is
        EraCoverage("E7", None, "cccc3333", minute(0), minute(5), 6, 1, 5, 0, ["keys, time"]),
        EraCoverage("E7", None, None, None, None, 3, None, None, None, ["keys"]),
    ]
    rows = coverage_rows(found)
    assert [row[1] for row in rows] == [ONE.address, "run cccc3333", "no run says who"]
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_the_command_ends_with_it(tmp_path: Path, e7: list[Json]) -> None:
    write_run(tmp_path / "r", "ab12cd34", e7[:4], started=STARTED, config=ONE.config("ab12cd34"))
    environment = {STORE_VARIABLE: str(tmp_path / "store")}
    told = completed(["ingest", tmp_path / "r", "--json"], environment)
    (row,) = json.loads(told.stdout)["eras"]
    assert (row["era"], row["hotkey"], row["challenges"]) == ("E7", ONE.address, 4)
    again = completed(["ingest", tmp_path / "r"], environment | {"COLUMNS": "200"})
    assert "the store now holds" in again.stdout
    assert ONE.address in again.stdout


ROW = st.tuples(
    st.sampled_from(["E6", "E7", "E10"]),
    st.sampled_from(["a", "b", "c", None]),
    st.integers(0, 1),
    st.integers(0, 12),
    st.none() | st.integers(0, 1000),
)
RUN = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["H", "K", None]),
    st.sampled_from(["proved", "absent", "false", "unchecked"]),
)


@settings(max_examples=30)  # of up to 40 rows each
@given(st.lists(ROW, max_size=40, unique_by=lambda row: row[1:4]), st.lists(RUN, max_size=6))
def test_counts_are_those_of_a_loop(
    media: list[tuple[str, str | None, int, int, int | None]],
    runs: list[tuple[str, str | None, str]],
) -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE media (era VARCHAR, run_id VARCHAR, segment BIGINT, step BIGINT, "
        "time TIMESTAMP, era_evidence VARCHAR[])"
    )
    connection.execute("CREATE TABLE runs (run_id VARCHAR, hotkey VARCHAR, signature VARCHAR)")
    connection.execute(statements("analytics/schema/run_signatures"))
    if media:
        rows = [(*row[:4], None if row[4] is None else minute(row[4])) for row in media]
        connection.executemany("INSERT INTO media VALUES (?, ?, ?, ?, ?, ['keys'])", rows)
    if runs:
        connection.executemany("INSERT INTO runs VALUES (?, ?, ?)", runs)
    said = {
        (one.era, one.hotkey, one.run_id): (one.challenges, one.holes, one.missing, one.restarts)
        for one in era_coverage(connection)
    }
    connection.close()
    assert said == counted(media, runs)


def counted(
    media: list[tuple[str, str | None, int, int, int | None]],
    runs: list[tuple[str, str | None, str]],
) -> dict[Any, Any]:
    hotkeys = defaultdict(set)
    for run, hotkey, signature in runs:
        shown = {one[2] for one in runs if one[0] == run}
        proved = {one[1] for one in runs if one[0] == run and one[2] == "proved"}
        believed = hotkey in proved if "proved" in shown else "false" not in shown
        if believed and signature != "false" and hotkey is not None:
            hotkeys[run].add(hotkey)
    said: dict[Any, list[Any]] = {}
    segments: dict[Any, list[Any]] = defaultdict(list)
    for row in media:
        if row[1] is None:
            key = (row[0], None, None)
            said.setdefault(key, [0, None, None, None])[0] += 1
        else:
            segments[row[1], row[2]].append(row)
    begun: dict[Any, list[Any]] = defaultdict(list)
    for (run, segment), rows in segments.items():
        who = (next(iter(hotkeys[run])), None) if len(hotkeys[run]) == 1 else (None, run)
        before = -1
        for era, _, _, step, _ in sorted(rows, key=lambda row: row[3]):
            counts = said.setdefault((era, *who), [0, 0, 0, 0])
            counts[0] += 1
            counts[1] += step - before > 1
            counts[2] += step - before - 1
            before = step
        times = [row[4] for row in rows if row[4] is not None]
        first_era = min(rows, key=lambda row: row[3])[0]
        begun[who].append((not times, min(times, default=0), run, segment, first_era))
    for who, beginnings in begun.items():
        for *_, era in sorted(beginnings)[1:]:
            said[era, *who][3] += 1
    return {key: tuple(counts) for key, counts in said.items()}
