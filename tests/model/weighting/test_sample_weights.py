"""The product of the factors: laws that hold for any rows and any evidence."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import RunError
from model.rows.training_row import TrainingRow
from model.weighting.evidence import Evidence, source_rows
from model.weighting.policy import (
    BalancePolicy,
    DifficultyPolicy,
    GatesPolicy,
    GpsPolicy,
    NullsPolicy,
    ProductPolicy,
    SlicesPolicy,
    WeightPolicy,
)
from model.weighting.sample_weights import FACTORS, weigh
from tests.model.weighting.weighing_world import COMMON, rows_of, sources

DENVER = GpsPolicy(latitudes=(39.74,), longitudes=(-104.99,))
BARE = pl.DataFrame()


@st.composite
def training_rows(draw: st.DrawFn) -> list[TrainingRow]:
    """Rows of any label, place, city and NULLs; the first has GPS."""
    rows = []
    for row in range(draw(st.integers(1, 30))):
        gps = draw(st.none() | st.tuples(st.floats(25, 49), st.floats(-124, -67)))
        latitude, longitude = gps or (None if row else 39.0, None if row else -105.0)
        city = draw(st.sampled_from(["denver", "boston", None]))
        metadata = {
            "gps_lat": latitude,
            "gps_lon": longitude,
            "gps_null": None if latitude is not None else "null",
            "city": city,
            "city_null": None if city else "absent",
        }
        label = draw(st.integers(0, 1))
        rows.append(TrainingRow(f"{row % 3}.parquet", row, label, (320, 240), metadata))
    return rows


def evidence_of(rows: list[TrainingRow]) -> Evidence:
    """Something for every factor."""
    named = {"field": "city", "value": "denver"}
    return Evidence(
        rows=source_rows(rows),
        slice_losses=pl.DataFrame(
            [
                named | {"n": 50, "share": 0.2, "cost": 0.05, "low": 0.04, "high": 0.06},
                named
                | {"value": "boston", "n": 50, "share": 0.2}
                | {"cost": 0.0, "low": -0.01, "high": 0.01},
            ]
        ),
        gate_changes=pl.DataFrame(
            [
                named
                | {"right": 30, "wrong": 20, "view": view, "difference": difference}
                | {"low": difference - 0.05, "high": difference + 0.05}
                for view, difference in enumerate((0.2, -0.2), start=1)
            ]
        ),
        difficulties=pl.DataFrame({"source": ["0.parquet"], "row": [0], "difficulty": [1.5]}),
        doubtful=pl.DataFrame({"source": ["1.parquet"], "row": [1]}),
    )


@given(rows=training_rows(), seed=st.integers(0, 99))
def test_the_order_of_rows_changes_no_bit(rows: list[TrainingRow], seed: int) -> None:
    policy = WeightPolicy(gps=DENVER)
    found = weigh(evidence_of(rows), policy)
    shuffled = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    again = weigh(evidence_of(shuffled), policy)
    assert found.table.equals(again.table)
    assert found.effective == again.effective


@given(rows=training_rows())
def test_weights_have_mean_1_and_are_the_clipped_product(rows: list[TrainingRow]) -> None:
    policy = WeightPolicy(gps=DENVER, product=ProductPolicy(lowest=0.2, highest=3.0))
    found = weigh(evidence_of(rows), policy)
    table = found.table
    assert table.columns == ["source", "row", "weight", *FACTORS]
    weight = table["weight"].to_numpy()
    assert weight.mean() == pytest.approx(1.0)
    product = table.select(FACTORS).to_numpy().prod(axis=1)
    relative = product / product.mean()
    clipped = np.clip(relative, 0.2, 3.0)
    assert weight == pytest.approx(clipped / clipped.mean())
    # one that is at a limit but for rounding may count or not
    assert (relative < 0.2 - 1e-9).sum() <= found.raised <= (relative < 0.2 + 1e-9).sum()
    assert (relative > 3.0 + 1e-9).sum() <= found.lowered <= (relative > 3.0 - 1e-9).sum()
    assert found.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert found.effective <= len(rows) * (1 + 1e-12)


@given(rows=training_rows())
def test_factors_without_evidence_are_1_and_say_why(rows: list[TrainingRow]) -> None:
    found = weigh(Evidence(source_rows(rows)))
    for factor in ("gps", "slices", "difficulty", "gates"):
        assert (found.table[factor] == 1.0).all()
        assert found.reasons[factor]


def test_every_factor_is_there_and_a_policy_turns_each_off() -> None:
    rows = rows_of(sources())
    rows = [replace(row, parquet="0.parquet") for row in rows if row.row % 4 or row.row % 3]
    evidence = replace(evidence_of(rows), doubtful=Evidence(BARE).doubtful)
    difficulties = pl.DataFrame({"source": ["0.parquet"], "row": [1], "difficulty": [1.5]})
    evidence = replace(evidence, difficulties=difficulties)
    found = weigh(evidence, WeightPolicy(gps=DENVER))
    moved = {name for name in FACTORS if (found.table[name] != 1.0).any()}
    assert moved == set(FACTORS)
    assert found.reasons == {}
    off = WeightPolicy(
        gps=GpsPolicy(use=False),
        slices=SlicesPolicy(use=False),
        difficulty=DifficultyPolicy(use=False),
        balance=BalancePolicy(use=False),
        nulls=NullsPolicy(use=False),
        gates=GatesPolicy(use=False),
    )
    nothing = weigh(evidence, off)
    assert (nothing.table["weight"] == 1.0).all()
    assert nothing.reasons == dict.fromkeys(FACTORS, "the policy does not use it")
    assert nothing.effective == len(rows)


def test_rows_near_the_target_weigh_by_their_tier() -> None:
    rows = rows_of(sources())
    only = replace(WeightPolicy(gps=DENVER), balance=BalancePolicy(use=False))
    only = replace(only, nulls=NullsPolicy(use=False))
    found = weigh(Evidence(source_rows(rows)), only).table
    cities = {row.row: row.metadata["city"] for row in rows}
    for row, factor in found.select("row", "gps").rows():
        expected = 0.5 if row % 10 == 9 else 5.0 if cities[row] == COMMON else 0.3
        assert factor == expected
    ratio = found["weight"].max() / found["weight"].min()  # type: ignore[operator]
    assert ratio == pytest.approx(5.0 / 0.3)


def test_a_factor_of_0_leaves_rows_out() -> None:
    far_out = WeightPolicy(gps=replace(DENVER, beyond=0.0))
    found = weigh(Evidence(source_rows(rows_of(sources()))), far_out)
    weight = found.table["weight"].to_numpy()
    assert (weight == 0).tolist() == (found.table["gps"].to_numpy() == 0).tolist()
    assert (weight == 0).any()
    assert weight.mean() == pytest.approx(1.0)


def test_no_rows_and_all_zero_weights_are_one_line() -> None:
    with pytest.raises(RunError, match="rows to weigh: found none"):
        weigh(Evidence(source_rows([])))
    zero = replace(DENVER, near=0.0, middle=0.0, far=0.0, beyond=0.0, unknown=0.0)
    with pytest.raises(RunError, match=r"weights: found 0 for each of 240 rows.*--policy"):
        weigh(Evidence(source_rows(rows_of(sources()))), WeightPolicy(gps=zero))
