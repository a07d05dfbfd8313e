"""Several histories of one run: what is kept of them hangs on no order, and the rest is told."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ingest.ingest import IngestReport, ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from data.store import Store
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]
Values = dict[str, float]

# so much alike that they are of one segment of the run
COMMON: dict[int, Values] = {step: {"mcc": 0.1 + step} for step in range(10, 40)}


def table(folder: Path, name: str, rows: dict[int, Values]) -> Path:
    """A history of run ab12cd34: series of uid 4 by step."""
    path = folder / name / "run-ab12cd34.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    named = [
        {"_step": step} | {f"miner_{series}/uid_4": value for series, value in values.items()}
        for step, values in rows.items()
    ]
    pd.DataFrame(named).to_csv(path, index=False)
    return path


def kept(store: Store, step: int = 3) -> list[tuple[Any, ...]]:
    asked = f"SELECT mcc, rewards FROM history_series WHERE step = {step}"  # noqa: S608
    return query(store, asked).rows


def rejected(report: IngestReport) -> list[str]:
    assert all("with other values" in reject["reason"] for reject in report.rejects)
    return [reject["file"] for reject in report.rejects]


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_a_third_history_is_compared_with_the_second(
    store: Store, tmp_path: Path, order: Sequence[str]
) -> None:
    """The first says nothing of what the others contradict each other in."""
    values: dict[str, Values] = {"a": {"mcc": 0.5}, "b": {"rewards": 0.25}, "c": {"rewards": 0.75}}
    paths = {name: table(tmp_path, name, COMMON | {3: of_step}) for name, of_step in values.items()}
    report = ingest(store, [paths[name] for name in order])
    assert kept(store) == [(0.5, 0.25)]
    (file,) = rejected(report)
    assert file.startswith("c/")
    again = ingest(store, [tmp_path])
    assert (kept(store), len(again.rejects)) == ([(0.5, 0.25)], 1)


def test_what_contradicts_only_a_rejected_history_is_kept(store: Store, tmp_path: Path) -> None:
    table(tmp_path, "a", COMMON | {3: {"mcc": 0.5}})
    table(tmp_path, "b", COMMON | {3: {"mcc": 0.6, "rewards": 0.25}})
    table(tmp_path, "c", COMMON | {3: {"rewards": 0.75}})
    report = ingest(store, [tmp_path])
    assert kept(store) == [(0.5, 0.75)]
    assert [file[0] for file in rejected(report)] == ["b"]


VALUE = st.none() | st.sampled_from([0.25, 0.5])


@settings(max_examples=12, deadline=None)
@given(histories=st.lists(st.tuples(VALUE, VALUE), min_size=2, max_size=5))
def test_any_histories_are_put_together_as_by_a_loop(
    tmp_path_factory: pytest.TempPathFactory, histories: list[tuple[Any, Any]]
) -> None:
    """Tables of one folder, each after those before it by name."""
    folder = tmp_path_factory.mktemp("histories") / "ab12cd34"
    folder.mkdir()
    (folder / "wandb-summary.json").write_text("{}")
    expected: list[float | None] = [None, None]
    left_out = 0
    for place, values in enumerate(histories):
        named = zip(("mcc", "rewards"), values, strict=True)
        row: Values = {series: value for series, value in named if value is not None}
        table(folder, "", {1: {"mcc": 0.5}} | ({3: row} if row else {})).rename(
            folder / f"{place}.csv"
        )
        pairs = list(zip(expected, values, strict=True))
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            left_out += 1
        else:
            expected = [new if old is None else old for old, new in pairs]
    store = Store(folder.parent / "store")
    report = ingest(store, [folder])
    assert kept(store) == ([] if expected == [None, None] else [tuple(expected)])
    assert len([one for one in report.rejects if "other values" in one["reason"]]) == bool(left_out)


@pytest.fixture
def run(tmp_path: Path, golden: Path) -> tuple[Path, pd.DataFrame]:
    """A run's media without its `run.json`, and its history."""
    records = golden_records(golden, "e7")[:30]
    write_media_files(tmp_path / "ab12cd34" / "media" / "html", records)
    return tmp_path / "ab12cd34", history_frame(records)


def write_rows(folder: Path, frame: pd.DataFrame) -> None:
    """As a user writes what `scan_history()` gives."""
    lines = (json.dumps(row) + "\n" for row in frame.to_dict("records"))
    (folder / "history.jsonl").write_text("".join(lines))


def test_whole_rows_beside_media_need_no_run_json(
    store: Store, run: tuple[Path, pd.DataFrame]
) -> None:
    folder, frame = run
    write_rows(folder, frame)
    assert ingest(store, [folder]).rejects == []
    asked = "SELECT count(DISTINCT step), count(DISTINCT challenge_id) FROM history_series"
    assert query(store, asked).rows == [(30, 30)]
    assert query(store, "SELECT steps FROM runs").rows == [(30,)]
    assert query(store, "SELECT count(time) FROM media").rows == [(30,)]


def test_two_histories_in_one_folder_are_compared_too(
    store: Store, run: tuple[Path, pd.DataFrame]
) -> None:
    folder, frame = run
    write_rows(folder, frame)
    other = frame.copy()
    column = next(
        name for name in map(str, frame) if name.startswith("miner_mcc") and frame[name].notna()[3]
    )
    other.loc[3, column] = 0.123
    other.to_csv(folder / "history.csv", index=False)
    (reject,) = ingest(store, [folder]).rejects
    assert "found 1 steps of run ab12cd34, from step 3, with other values" in reject["reason"]
    uid = column.rpartition("_")[2]
    asked = f"SELECT mcc FROM history_series WHERE step = 3 AND uid = {uid}"  # noqa: S608
    assert query(store, asked).rows == [(frame[column][3],)]


def test_history_rows_that_are_none_are_told(store: Store, run: tuple[Path, pd.DataFrame]) -> None:
    folder, _ = run
    (folder / "history.jsonl").write_text('{"step": 1}\n')
    (reject,) = ingest(store, [folder]).rejects
    assert reject["reason"].startswith("history.jsonl, line 1: found no step")


def test_long_histories_are_merged_in_little_memory(tmp_path: Path) -> None:
    """Also where a step comes in several logs, each of some of its series."""
    steps, uids = 15_000, 20
    random = np.random.default_rng(15)
    rewards, scores = (
        {f"miner_{series}/uid_{uid}": random.random(steps) for uid in range(uids)}
        for series in ("rewards", "scores")
    )
    both = {"_step": np.arange(steps)}
    pd.DataFrame(both | rewards).to_parquet(tmp_path / "run-ab12cd34.parquet")
    first_half = pd.DataFrame(both | scores)[: steps // 2]
    first_half.to_parquet(tmp_path / "run-ab12cd34-history.parquet")
    store = Store(tmp_path / "store")
    logs = sorted(tmp_path.glob("*.parquet"))
    report = ingest(store, logs, settings=IngestSettings(database_megabytes=128))
    assert report.rejects == []
    counted = query(store, "SELECT count(*), count(rewards), count(scores) FROM history_series")
    assert counted.rows == [(steps * uids, steps * uids, steps // 2 * uids)]
    (summed,) = query(store, "SELECT sum(rewards), sum(scores) FROM history_series").rows
    expected = [sum(values.sum() for values in rewards.values())]
    expected.append(sum(values[: steps // 2].sum() for values in scores.values()))
    np.testing.assert_allclose(summed, expected, rtol=1e-9)


def test_of_a_step_that_a_wandb_log_holds_twice_the_first_is_kept(
    store: Store, golden: Path, tmp_path: Path
) -> None:
    """Where both say the same nothing is told; where they do not, the second is a reject."""
    records = golden_records(golden, "e7")[:3]
    changed = [{**records[0], "predictions": [0.125] * 10}, records[1]]
    started = datetime(2026, 1, 1, tzinfo=UTC)
    folder = write_run(tmp_path / "run-ab12cd34", "ab12cd34", records, started=started)
    other = write_run(tmp_path / "other", "ab12cd34", changed, started=started)
    log, header = folder / "run-ab12cd34.wandb", 7
    log.write_bytes(log.read_bytes() + (other / log.name).read_bytes()[header:])
    report = ingest(store, [folder])
    (reject,) = report.rejects
    assert "found 1 steps of run ab12cd34, from step 0, with other values" in reject["reason"]
    asked = "SELECT predictions FROM history_series WHERE step = 0 ORDER BY uid"
    of_uid = dict(zip(records[0]["miner_uids"], records[0]["predictions"], strict=True))
    assert [value for (value,) in query(store, asked).rows] == [of_uid[k] for k in sorted(of_uid)]
