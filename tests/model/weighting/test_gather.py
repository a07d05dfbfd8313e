"""Evidence out of a store, against the world that made it."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analytics.warehouse.connection import reading
from data.atomic_files import atomic_file
from data.errors import RunError
from data.store import Store
from model.rows.source_rows import row_columns
from model.weighting.evidence import SLICE_FIELDS
from model.weighting.gather import Gathered, gather
from model.weighting.policy import DifficultyPolicy, GatesPolicy, SlicesPolicy, WeightPolicy
from model.weighting.sample_weights import weigh
from replay.candidates.predictor import TRAINING_ROWS
from tests.model.weighting.weighing_world import (
    COMMON,
    add_replay,
    logged_store,
    rows_of,
    sources,
)

ROWS = rows_of(sources())
POLICY = WeightPolicy()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A log of three cities, a replay that fails in the common one, and one that fails nowhere."""
    store = logged_store(tmp_path_factory.mktemp("world"))
    add_replay(store, wrong_in=COMMON, run_id="fails")
    add_replay(store, wrong_in=None, run_id="even")
    return store


def gathered(store: Store, run: str, policy: WeightPolicy = POLICY) -> Gathered:
    with reading(store) as connection:
        return gather(connection, store, ROWS, policy, run)


@pytest.fixture(scope="module")
def failing(world: Store) -> Gathered:
    return gathered(world, "fails")


def test_the_common_city_is_the_only_target(failing: Gathered) -> None:
    found = weigh(failing.evidence)
    assert [place.is_target for place in found.places].count(True) == 1
    assert len(found.places) == 3
    [target] = [place for place in found.places if place.is_target]
    assert target.name == COMMON
    assert target.log_share is not None
    assert target.log_share > 0.5
    assert target.row_share == pytest.approx(1 / 6, abs=0.02)


def test_where_the_candidate_loses_rows_weigh_more(failing: Gathered) -> None:
    evidence = failing.evidence
    assert set(evidence.slice_losses["field"]) <= set(SLICE_FIELDS)
    assert not evidence.slice_losses["value"].str.starts_with("NULL").any()
    found = weigh(evidence)
    factor = dict(found.slices.filter(pl.col("field") == "city").select("value", "factor").rows())
    assert factor[COMMON] > 1.5
    assert factor["boston"] == factor["phoenix"] == 1.0
    city = {row.row: row.metadata["city"] for row in ROWS}
    for row, value in found.table.select("row", "slices").rows():
        assert value >= (factor[COMMON] if city[row] == COMMON else 1.0)


def test_where_the_views_change_rows_weigh_more(failing: Gathered) -> None:
    found = weigh(failing.evidence)
    factor = dict(found.gates.filter(pl.col("field") == "city").select("value", "factor").rows())
    # a share of 0.6 moves from one view to the other; the interval takes a little of it
    assert 1.9 < factor[COMMON] <= 2.0
    assert factor["boston"] == factor["phoenix"] == 1.0
    counts = failing.evidence.gate_changes.filter(value=COMMON).row(0, named=True)
    assert counts["wrong"] > counts["right"] > 30


def test_a_candidate_that_fails_nowhere_leaves_slices_and_gates_at_1(world: Store) -> None:
    """Its errors are by chance, and so are its views' changes."""
    evidence = gathered(world, "even").evidence
    assert evidence.gate_changes["low"].is_not_null().any()
    found = weigh(evidence)
    assert found.table["gates"].to_list() == [1.0] * len(ROWS)
    # it may lose to the miners everywhere, but then no city stands out
    factors = found.slices.filter(pl.col("field") == "city")["factor"]
    assert factors.max() < 2.0  # type: ignore[operator]


def test_difficulties_are_of_logged_rows_and_centred(failing: Gathered) -> None:
    found = failing.evidence.difficulties
    assert found.select("source", "row").is_duplicated().sum() == 0
    assert set(found["row"]) <= {row.row for row in ROWS}
    assert abs(found["difficulty"].mean()) < 0.3  # type: ignore[operator, arg-type]
    factor = weigh(failing.evidence).table["difficulty"]
    assert factor.min() < 1.0 < factor.max()  # type: ignore[operator]


def test_what_the_candidate_was_trained_on_is_no_evidence(world: Store, tmp_path: Path) -> None:
    trained = row_columns([row for row in ROWS if row.metadata["city"] == COMMON])
    folder = world.runs / "fails"
    folder.mkdir(parents=True)
    try:
        with atomic_file(folder / TRAINING_ROWS) as temporary:
            trained.write_parquet(temporary)
        evidence = gathered(world, "fails").evidence
    finally:
        (folder / TRAINING_ROWS).unlink()
    assert evidence.slice_losses.filter(value=COMMON).is_empty()
    assert evidence.gate_changes.filter(value=COMMON).is_empty()
    assert evidence.clusters.height == 3


def test_another_run_is_one_line_unless_nothing_asks_for_it(world: Store) -> None:
    with pytest.raises(RunError, match="run none: found 2 finished replays"):
        gathered(world, "none")
    without = replace(POLICY, slices=SlicesPolicy(use=False), gates=GatesPolicy(use=False))
    found = gathered(world, "none", without)
    assert found.run_id is None
    assert found.evidence.slice_losses.is_empty()


def test_a_model_without_gates_and_a_log_without_places_say_so(tmp_path: Path) -> None:
    store = logged_store(tmp_path, challenges=60)
    from analytics.warehouse.connection import writing  # noqa: PLC0415

    add_replay(store, wrong_in=None)
    with writing(store) as writer:
        writer.connection.execute("DELETE FROM replay_gates")
        writer.connection.execute("UPDATE media SET gps_lat = NULL, gps_lon = NULL")
    found = gathered(store, "latest", replace(POLICY, difficulty=DifficultyPolicy(use=False)))
    assert set(found.evidence.reasons) >= {"gps", "gates"}
    assert "found none; expected a model with gates" in found.evidence.reasons["gates"]
    assert "GPS" in found.evidence.reasons["gps"]
    reasons = weigh(found.evidence).reasons
    assert reasons["gates"] == found.evidence.reasons["gates"]
