"""One run in several folders: what is one segment, whatever order they are read in."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.audit.audit import AuditSettings, audit
from analytics.ingest.ingest import ingest
from analytics.ingest.run_segments import RunPart, segments_of
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.store import Store
from tests.conftest import GOLDEN, golden_records
from tests.worlds import wandb_runs
from tests.worlds.wandb_runs import write_run

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

RELATIONS = (
    "SELECT * EXCLUDE (file, position) FROM media ORDER BY ALL",
    "SELECT * FROM responses ORDER BY ALL",
    "SELECT * FROM miner_series ORDER BY ALL",
    "SELECT * EXCLUDE (file) FROM runs ORDER BY ALL",
)


@pytest.fixture
def e7(golden: Path) -> list[dict[str, Any]]:
    return golden_records(golden, "e7")


def held(store: Store) -> list[Any]:
    return [query(store, sql).rows for sql in RELATIONS]


def segments(store: Store) -> list[Any]:
    counted = "SELECT segment, count(*), min(step), max(step), count(time) FROM media"
    return query(store, f"{counted} GROUP BY ALL ORDER BY ALL").rows


def mismatches(store: Store) -> int:
    with reading(store) as connection:
        return len(audit(connection, AuditSettings()).mismatches)


def test_a_run_resumed_from_step_0_is_kept_as_two_segments_in_any_order(
    tmp_path: Path, e7: list[dict[str, Any]]
) -> None:
    first = write_run(tmp_path / "offline-run-1-ab", "ab", e7[:20], started=START)
    second = write_run(tmp_path / "offline-run-2-ab", "ab", e7[20:40], started=START + HOUR)
    third = write_run(
        tmp_path / "offline-run-3-ab", "ab", e7[40:50], started=START + 2 * HOUR, first_step=20
    )
    wanted = [(0, 20, 0, 19, 20), (1, 30, 0, 29, 30)]
    stores = []
    for number, order in enumerate(permutations([first, second, third])):
        store = Store(tmp_path / f"store-{number}")
        for folder in order:
            report = ingest(store, [folder])
            assert not report.rejects
        assert segments(store) == wanted, order
        assert not ingest(store, [first, second, third]).changed
        assert not mismatches(store)
        stores.append(held(store))
    together = Store(tmp_path / "together")
    ingest(together, [third, second, first])
    assert all(one == held(together) for one in stores)
    assert query(together, "SELECT count(*), count(challenge_id) FROM miner_series").rows == [
        (500, 500)
    ]


def test_a_torn_copy_is_the_same_segment_and_steps_that_go_on_are_too(
    store: Store, tmp_path: Path, e7: list[dict[str, Any]]
) -> None:
    first = write_run(tmp_path / "run-1-ab", "ab", e7[:20], started=START)
    write_run(tmp_path / "run-2-ab", "ab", e7[20:40], started=START + HOUR, first_step=20)
    copy = tmp_path / "copy" / first.name
    shutil.copytree(first, copy)
    log = copy / "run-ab.wandb"
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    ingest(store, [copy])
    ingest(store, [tmp_path])
    assert segments(store) == [(0, 40, 0, 39, 40)]
    assert query(store, "SELECT count(*) FROM miner_series").rows == [(400,)]


def without(*fields: str) -> Any:
    """`wandb_runs._run`, the description of a run, without some of its fields."""

    def run(run_id: str, started: datetime, config: dict[str, Any]) -> Any:
        message = described(run_id, started, config)
        for field in fields:
            message.run.ClearField(field)
        if not fields:
            message.Clear()
            message.exit.exit_code = 0
        return message

    described = wandb_runs._run
    return run


def test_parts_that_do_not_say_when_they_began_are_no_copies_of_one_another(
    store: Store, tmp_path: Path, e7: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_runs, "_run", without("start_time"))
    first = write_run(tmp_path / "offline-run-1-ab", "ab", e7[:20], started=START)
    second = write_run(tmp_path / "offline-run-2-ab", "ab", e7[20:40], started=START + HOUR)
    assert not ingest(store, [first, second]).rejects
    assert [row[:2] for row in segments(store)] == [(0, 20), (1, 20)]
    assert query(store, "SELECT count(started) FROM runs").rows == [(0,)]


def test_a_log_of_series_alone_that_says_nothing_of_its_run_is_itself_when_read_again(
    store: Store, tmp_path: Path, e7: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_runs, "_run", without())
    folder = write_run(tmp_path / "offline-run-1-ab", "ab", e7[:20], started=START)
    shutil.rmtree(folder / "files")
    ingest(store, [folder])
    assert not ingest(store, [folder]).changed
    counted = "SELECT segment, count(*) FROM miner_series GROUP BY ALL"
    assert query(store, counted).rows == [(0, 200)]


def test_a_downloaded_copy_under_another_name_changes_nothing_when_read_again(
    store: Store, tmp_path: Path, e7: list[dict[str, Any]]
) -> None:
    run = write_run(tmp_path / "run-1-ab", "ab", e7[:20], started=START)
    copy = tmp_path / "kept" / "another-name"
    shutil.copytree(run / "files" / "media", copy / "media")
    ingest(store, [run])
    ingest(store, [copy])
    assert not ingest(store, [copy]).changed
    assert query(store, "SELECT run_id, segment FROM runs ORDER BY ALL").rows == [
        ("ab", 0),
        ("another-name", 0),
    ]


def a_part(number: int, first: int, last: int, hour: int | None) -> RunPart:
    started = None if hour is None else START + hour * HOUR
    return RunPart(number, "ab", started, first, last, f"{number:02d}")


def test_without_times_a_part_goes_on_only_where_it_can_in_one_place() -> None:
    two = [a_part(0, 0, 9, None), a_part(1, 10, 19, None)]
    assert segments_of(two, []) == {0: 0, 1: 0}
    assert segments_of([*two, a_part(2, 0, 9, None)], []) == {0: 0, 2: 1, 1: 2}


def test_many_runs_read_again_take_no_time_by_their_square() -> None:
    """20,000 of them took 20 s; the bound is one that only the square can break."""
    count = 20_000
    parts = [RunPart(k, f"run-{k % count}", None, 0, 9, "") for k in range(2 * count)]
    begun = time.process_time()
    assert set(segments_of(parts, [(k, k + count) for k in range(count)]).values()) == {0}
    assert time.process_time() - begun < 10


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.none() | st.integers(0, 9)), max_size=8
    ),
    st.randoms(use_true_random=False),
)
def test_segments_do_not_depend_on_the_order_of_parts(rows: Any, random: Any) -> None:
    parts = [a_part(k, first, first + more, hour) for k, (first, more, hour) in enumerate(rows)]
    wanted = segments_of(parts, [])
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert segments_of(shuffled, []) == wanted


@settings(max_examples=8)
@given(
    st.lists(st.integers(1, 29), max_size=3, unique=True).map(sorted),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.data(),
)
def test_any_split_of_a_run_read_in_any_order_is_the_same_run(
    cuts: list[int], again: list[bool], data: st.DataObject
) -> None:
    records = golden_records(GOLDEN, "e7")[:30]
    bounds = [0, *cuts, 30]
    with TemporaryDirectory() as name:
        folders: list[Path] = []
        steps: list[int] = []
        step = 0
        for place, (start, end) in enumerate(pairwise(bounds)):
            step = 0 if again[place] else step
            folder = Path(name) / f"run-{place}-ab"
            started = START + place * HOUR
            write_run(folder, "ab", records[start:end], started=started, first_step=step)
            folders.append(folder)
            steps += range(step, step + end - start)
            step += end - start
        stores = [Store(Path(name) / "in-order"), Store(Path(name) / "in-any-order")]
        for folder in folders:
            ingest(stores[0], [folder])
        for folder in data.draw(st.permutations(folders)):
            ingest(stores[1], [folder])
        assert held(stores[0]) == held(stores[1])
        begun = [place for place in range(1, 30) if steps[place] <= steps[place - 1]]
        bounds = [0, *begun, 30]
        assert [(row[0], row[1]) for row in segments(stores[1])] == [
            (segment, end - start) for segment, (start, end) in enumerate(pairwise(bounds))
        ]
        assert not mismatches(stores[1])
