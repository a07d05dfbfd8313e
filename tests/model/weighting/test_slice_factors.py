"""Factors of slices: what is sure counts, what chance explains does not."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.weighting.evidence import Evidence
from model.weighting.policy import GatesPolicy, SlicesPolicy
from model.weighting.slice_factors import factor_of_rows, gate_changes, shrunk, slice_losses

EMPTY = Evidence(pl.DataFrame())
number = st.floats(-1, 1)


@given(value=number, half=st.floats(0, 1), tests=st.integers(1, 300))
def test_a_shrunk_estimate_is_the_nearest_end_of_its_wider_interval(
    value: float, half: float, tests: int
) -> None:
    """Bonferroni's interval of a normal estimate, by scipy."""
    error = half / stats.norm.ppf(0.975)
    wider = stats.norm.ppf(1 - 0.025 / tests) * error
    expected = np.sign(value) * max(0.0, abs(value) - wider)
    ends = np.array([value - half]), np.array([value + half])
    assert shrunk(np.array([value]), *ends, tests)[0] == pytest.approx(expected, abs=1e-12)


def test_no_interval_weighs_nothing() -> None:
    missing = np.array([np.nan])
    assert shrunk(np.array([0.9]), missing, missing, 3).tolist() == [0.0]


def losses(*rows: tuple[str, str, float, float, float, float]) -> pl.DataFrame:
    columns = ["field", "value", "share", "cost", "low", "high"]
    named = pl.DataFrame(rows, schema=columns, orient="row")
    return named.with_columns(n=pl.lit(100))


def test_a_loss_is_that_of_an_answer_of_the_slice() -> None:
    none = ("city", "boston", 0.1, 0.0, 0.0, 0.0)
    found = slice_losses(losses(("city", "denver", 0.1, 0.02, 0.02, 0.02), none), SlicesPolicy())
    # 0.2 an answer, of the two cities 0.1
    assert found["loss"].to_list() == pytest.approx([0.1, 0.0])
    assert found["factor"].to_list() == pytest.approx([1 + 4 * 0.1, 1.0])


def test_what_is_lost_everywhere_alike_weighs_nothing() -> None:
    """Each city loses 0.2 an answer, each daytime too, but for one that loses 0.5."""
    found = slice_losses(
        losses(
            ("city", "denver", 0.5, 0.1, 0.099, 0.101),
            ("city", "boston", 0.5, 0.1, 0.099, 0.101),
            ("image size", "all", 1.0, 0.2, 0.199, 0.201),
            ("daytime", "Light", 0.8, 0.16, 0.159, 0.161),
            ("daytime", "Dark", 0.2, 0.1, 0.1, 0.1),
        ),
        SlicesPolicy(),
    )
    # of daytimes the mean is 0.26
    assert found["loss"].to_list() == pytest.approx([0, 0, 0, 0, 0.24])
    assert found["factor"].to_list() == pytest.approx([1.0, 1.0, 1.0, 1.0, 1 + 4 * 0.24])


def test_gains_and_noise_and_small_slices_keep_1_and_the_most_is_the_policys() -> None:
    found = slice_losses(
        losses(
            ("city", "gain", 0.1, -0.05, -0.06, -0.04),
            ("city", "noise", 0.1, 0.01, -0.01, 0.03),
            ("city", "large", 0.04, 0.05, 0.049, 0.051),
        ),
        SlicesPolicy(),
    )
    assert found["factor"].to_list() == [1.0, 1.0, 3.0]
    assert slice_losses(EMPTY.slice_losses, SlicesPolicy()).is_empty()


def test_of_200_slices_of_noise_hardly_one_weighs() -> None:
    """No slice loses anything; each estimate is off by its error."""
    rng = np.random.default_rng(0)
    logs_with_any = 0
    for _ in range(100):
        cost = rng.normal(0, 0.01, 200)
        half = 0.01 * stats.norm.ppf(0.975)
        rows = [("city", f"c{k}", 0.1, c, c - half, c + half) for k, c in enumerate(cost)]
        found = slice_losses(losses(*rows), SlicesPolicy())
        logs_with_any += int((found["factor"] > 1).any())
    assert logs_with_any <= 5


def test_a_change_is_the_share_that_moved() -> None:
    rows = [
        ("city", "denver", 30, 20, 1, 0.3, 0.3, 0.3),
        ("city", "denver", 30, 20, 2, -0.3, -0.3, -0.3),
        ("city", "boston", 30, 20, 1, 0.1, -0.1, 0.3),
        ("city", "boston", 30, 20, 2, -0.1, None, None),
    ]
    columns = ["field", "value", "right", "wrong", "view", "difference", "low", "high"]
    found = gate_changes(pl.DataFrame(rows, schema=columns, orient="row"), GatesPolicy())
    assert found.select("value", "right", "wrong").rows() == [
        ("denver", 30, 20),
        ("boston", 30, 20),
    ]
    assert found["change"].to_list() == pytest.approx([0.3, 0.0])
    assert found["factor"].to_list() == pytest.approx([1.6, 1.0])
    assert gate_changes(EMPTY.gate_changes, GatesPolicy()).is_empty()


weathers = st.none() | st.lists(st.sampled_from(["Sunny", "Wet", "Fog"]), max_size=3)
cities = st.none() | st.sampled_from(["denver", "boston", "Wet"])
slice_rows = st.lists(
    st.tuples(
        st.sampled_from(["city", "weather", "level"]),
        st.sampled_from(["denver", "boston", "Sunny", "Wet", "Fog"]),
        st.floats(1, 3),
    ),
    max_size=8,
)


@given(rows=st.lists(st.tuples(cities, weathers), min_size=1, max_size=12), sliced=slice_rows)
def test_a_row_takes_the_largest_factor_of_the_slices_that_it_is_in(
    rows: list[tuple[str | None, list[str] | None]], sliced: list[tuple[str, str, float]]
) -> None:
    frame = pl.DataFrame(
        {
            "city": [city for city, _ in rows],
            "weather": [weather for _, weather in rows],
            "daytime": [None] * len(rows),
            "environment": [None] * len(rows),
            "image size": ["1 x 1"] * len(rows),
        },
        schema_overrides={
            "city": pl.String,
            "weather": pl.List(pl.String),
            "daytime": pl.String,
            "environment": pl.String,
        },
    )
    schema = {"field": pl.String, "value": pl.String, "factor": pl.Float64}
    found = factor_of_rows(frame, pl.DataFrame(sliced, schema=schema, orient="row"))

    def is_in(at: int, field: str, value: str) -> bool:
        city, weather = rows[at]
        return (field == "city" and value == city) or (
            field == "weather" and value in (weather or [])
        )

    for at in range(len(rows)):
        own = [
            factor
            for field, value, factor in sliced
            if is_in(at, field, value)
            and not all(is_in(other, field, value) for other in range(len(rows)))
        ]
        assert found[at] == max([1.0, *own])
