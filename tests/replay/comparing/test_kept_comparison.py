"""Comparisons that are kept: read again while all they rest on is the same, and only then."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.ingest.ingest import ingest
from analytics.slices.scores import SliceSettings
from analytics.warehouse.connection import reading
from data.background.process import RUNNING, State
from data.errors import RunError
from data.store import Store
from replay.comparing import report
from replay.comparing.background import last_comparison, start_comparison
from replay.comparing.kept_comparison import Asked, comparisons_folder, kept_comparison
from replay.comparing.report import ComparedRuns, ComparisonReport, comparison_report
from replay.comparing.results import Comparison
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.worlds.replays import ids_by_position, publish_replay
from tests.worlds.waiting import wait_for

FEW = BootstrapSettings(draws=100)
SETTINGS = CompareSettings(FEW)


class Computed:
    """How often something was computed."""

    def __init__(self) -> None:
        self.times = 0


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Computed:
    count = Computed()

    def counted(*arguments: Any) -> Comparison:
        count.times += 1
        return compare_with_miners(*arguments)

    monkeypatch.setattr(report, "compare_with_miners", counted)
    return count


@pytest.fixture
def replayed(store: Store, golden: Path) -> Store:
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids, rng = ids_by_position(store), np.random.default_rng(0)
    for run in ("replay-a", "replay-b"):
        publish_replay(store, {ids[k]: rng.random() for k in sorted(ids)}, run)
    return store


def compared(
    store: Store,
    settings: CompareSettings = SETTINGS,
    runs: ComparedRuns = ComparedRuns("replay-a"),
) -> ComparisonReport:
    with reading(store) as connection:
        return comparison_report(store, connection, runs, settings)


def test_the_same_comparison_is_read_again(replayed: Store, computed: Computed) -> None:
    first = compared(replayed)
    other_threads = CompareSettings(BootstrapSettings(draws=100, threads=1))
    for again in (compared(replayed), compared(replayed, other_threads)):
        assert again.comparison == first.comparison
        assert again.made == first.made
    assert computed.times == 1
    compared(replayed, CompareSettings(BootstrapSettings(draws=101)))
    assert computed.times == 2


def test_one_with_another_run_is_kept_beside_it(replayed: Store, computed: Computed) -> None:
    both = ComparedRuns("replay-a", "replay-b")
    first = compared(replayed, runs=both)
    assert first.against is not None
    assert compared(replayed).against is None
    assert compared(replayed, runs=both).against == first.against
    assert computed.times == 2


def test_one_with_slices_serves_who_asks_for_none(replayed: Store, computed: Computed) -> None:
    with_slices = CompareSettings(SETTINGS.bootstrap, slices=SliceSettings(SETTINGS.bootstrap))
    sliced = compared(replayed, with_slices).comparison
    plain = compared(replayed).comparison
    assert computed.times == 1
    assert sliced.slices
    assert not plain.slices
    assert plain.miners == sliced.miners


def test_a_log_more_is_another_basis(replayed: Store, computed: Computed, golden: Path) -> None:
    compared(replayed)
    ingest(replayed, [golden / "e9" / "challenges.jsonl"])
    asked = Asked("replay-a", settings=SETTINGS)
    assert kept_comparison(replayed, asked) is not None
    compared(replayed)
    assert computed.times == 2


def test_training_rows_are_part_of_the_basis(
    replayed: Store, computed: Computed, tmp_path: Path
) -> None:
    own = compared(replayed)
    for row in (1, 2):
        file = tmp_path / "rows.csv"
        pl.DataFrame({"parquet": ["train-00000-of-00001.parquet"], "row": [row]}).write_csv(file)
        compared(replayed, runs=ComparedRuns("replay-a", training_file=file))
    assert computed.times == 3
    # what a person asked about other rows does not take the place of the run's own comparison
    assert compared(replayed).made == own.made
    assert computed.times == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"basis": 1}', b"\xff\x00", b"[" * 10_000])
def test_a_damaged_file_is_computed_again(
    replayed: Store, computed: Computed, content: bytes
) -> None:
    first = compared(replayed)
    for file in comparisons_folder(replayed, "replay-a").glob("*.json"):
        file.write_bytes(content)
    assert kept_comparison(replayed, Asked("replay-a", settings=SETTINGS)) is None
    assert compared(replayed).comparison == first.comparison
    assert computed.times == 2


def test_a_store_that_cannot_be_written_is_no_error(replayed: Store, computed: Computed) -> None:
    folder = comparisons_folder(replayed, "replay-a")
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"in its place")
    assert compared(replayed).comparison == compared(replayed).comparison
    assert computed.times == 2


def test_a_process_of_its_own_computes_and_keeps_it(replayed: Store) -> None:
    asked = Asked("replay-a", "replay-b")
    assert kept_comparison(replayed, asked) is None
    start_comparison(replayed, asked)
    with pytest.raises(RunError, match="one at work"):
        start_comparison(replayed, asked)

    def ended() -> bool:
        process = last_comparison(replayed, asked)
        assert process is not None
        return process.state not in RUNNING

    wait_for(ended)
    process = last_comparison(replayed, asked)
    assert process is not None
    assert process.state is State.DONE, process.log.read_text()
    kept = kept_comparison(replayed, asked)
    assert kept is not None
    assert kept.against is not None
    assert kept.against.other.run_id == "replay-b"


@pytest.mark.parametrize("run", ["--store=/", "../../x", "replay-a --json", "replay-\n"])
def test_no_text_of_a_warehouse_becomes_part_of_a_command(store: Store, run: str) -> None:
    for asked in (Asked(run), Asked("replay-a", run)):
        with pytest.raises(RunError, match="another form"):
            start_comparison(store, asked)
