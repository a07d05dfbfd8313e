"""Mean shares and gates against plain sums over a hand-made replay."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.gates.block_sums import BlockSums, Field, Measure, stage_gates
from analytics.gates.mean_gates import gate_groups, gate_means, gated_runs
from analytics.gates.view_means import view_means
from analytics.warehouse.connection import reading, writing
from data.errors import RunError
from data.store import Store
from tests.worlds.gated_replays import GATED_REPLAYS

SETTINGS = BootstrapSettings(draws=400, seed=3)
VIEWS = 3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("gates"))
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS)
    return store


@pytest.fixture
def connection(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(store) as connection:
        yield connection


def plain() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the 58 used challenges: gates (58, 3), right (58,) and label (58,)."""
    i = np.arange(58)
    first = np.where(i % 3 == 0, 0.8, 0.3) + 0.01 * (i % 20) / 20
    gates = np.stack([first, np.where(i % 4 == 0, 0, 0.5), np.full(58, 0.4)], axis=1)
    return gates, i % 3 != 0, i % 2


def test_only_runs_with_gates_are_listed(connection: duckdb.DuckDBPyConnection) -> None:
    assert [run.run_id for run in gated_runs(connection)] == ["gated"]


@pytest.mark.parametrize("label", [None, 0, 1])
@pytest.mark.parametrize("measure", ["share", "gate"])
def test_means_are_plain_means(
    connection: duckdb.DuckDBPyConnection, label: int | None, measure: Measure
) -> None:
    gates, right, labels = plain()
    if measure == "share":
        gates = gates / gates.sum(axis=1, keepdims=True)
    asked = np.full(58, fill_value=True) if label is None else labels == label

    means = gate_means(connection, "gated", label, SETTINGS, measure)

    assert means.measure == measure
    assert (means.right, means.wrong) == ((asked & right).sum(), (asked & ~right).sum())
    assert means.right_images == len(np.unique(np.arange(58)[asked & right] % 20))
    assert means.several == (asked & (np.arange(58) % 5 == 0)).sum()
    for index, view in enumerate(means.views):
        values, given = gates[asked, index], right[asked]
        assert view.view == index + 1
        assert view.right == pytest.approx(values[given].mean())
        assert view.wrong == pytest.approx(values[~given].mean())
        assert view.difference == pytest.approx(values[given].mean() - values[~given].mean())
        assert view.right_dropped == pytest.approx((values[given] == 0).mean())
        assert view.wrong_dropped == pytest.approx((values[~given] == 0).mean())


def test_every_challenge_is_used_or_left_out_with_a_reason(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert gate_means(connection, "gated").left_out == {"shard missing": 1, "no gates": 1}
    means = gate_means(connection, "gated", 1, SETTINGS)
    assert means.left_out == {"label 0": 29, "shard missing": 1, "no gates": 1}
    assert means.right + means.wrong + sum(means.left_out.values()) == 60


def test_intervals_hold_the_estimate_and_detect_a_real_difference(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    means = gate_means(connection, "gated", settings=SETTINGS, measure="gate")

    intervals = [view.interval for view in means.views]
    for view, interval in zip(means.views, intervals, strict=True):
        assert interval is not None
        assert view.difference is not None
        assert interval[0] <= view.difference <= interval[1]
    first, second, third = (interval or (0, 0) for interval in intervals)
    assert first[1] < -0.4
    assert second[0] < 0 < second[1]
    # a view that is as open everywhere differs by nothing, in every draw
    assert third == pytest.approx((0, 0))


def test_where_one_view_has_a_larger_share_the_others_have_smaller_ones(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    first, _, third = gate_means(connection, "gated", settings=SETTINGS).views
    assert first.interval is not None
    assert third.interval is not None
    assert first.interval[1] < -0.1
    # its gate is the same everywhere
    assert third.interval[0] > 0.05


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Gates that have nothing to do with right and wrong, shared by repeats of an image."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        gates, right = rng.random((60, VIEWS)), rng.random((60, 4)) < 0.6
        counts = np.stack([right.sum(axis=1), (~right).sum(axis=1)])
        images = (counts > 0).sum(axis=1)
        sums = BlockSums(counts[:, :, None] * gates, counts, images, np.zeros((2, VIEWS), int), 0)
        views = view_means(sums, BootstrapSettings(draws=200))
        held += all(v.interval and v.interval[0] <= 0 <= v.interval[1] for v in views)
    # 95 of 100 by the level; fewer than 85 would have a chance of 1 in 10,000
    assert held >= 85


def test_few_images_give_no_interval(store: Store, tmp_path: Path) -> None:
    few = Store(tmp_path / "few")
    with writing(few) as writer:
        writer.connection.execute(GATED_REPLAYS)
        writer.connection.execute("UPDATE media SET row = row % 9")
    with reading(few) as connection:
        means = gate_means(connection, "gated", settings=SETTINGS)
    assert means.right_images == 9
    assert [view.interval for view in means.views] == [None] * VIEWS
    assert means.views[0].difference is not None


def test_right_answers_only_have_no_difference(tmp_path: Path) -> None:
    store = Store(tmp_path / "right")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS)
        writer.connection.execute("UPDATE replay_predictions SET probability = 0.2")
    with reading(store) as connection:
        means = gate_means(connection, "gated", 0, SETTINGS)
    assert (means.right, means.wrong, means.wrong_images) == (29, 0, 0)
    assert means.views[0].wrong is None
    assert means.views[0].difference is None
    assert means.views[0].interval is None


def test_a_label_without_a_challenge_has_no_means(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS)
        writer.connection.execute("UPDATE media SET label = 0")
    with reading(store) as connection:
        means = gate_means(connection, "gated", 1, SETTINGS)
    assert (means.right, means.wrong) == (0, 0)
    assert len(means.views) == VIEWS
    assert {view.right for view in means.views} == {None}


def test_runs_without_gates_are_refused(connection: duckdb.DuckDBPyConnection) -> None:
    for run in ("plain", "no such run"):
        with pytest.raises(RunError, match=f"gates of {run}: found none"):
            gate_means(connection, run)


def test_numbers_of_views_that_differ_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "mixed")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS)
        writer.connection.execute("DELETE FROM replay_gates WHERE challenge_id = 'c7' AND view = 3")
    with (
        reading(store) as connection,
        pytest.raises(RunError, match="lack some of the views 1 to 3"),
    ):
        gate_means(connection, "gated")


LEVELS = """
UPDATE media SET aug_level = position // 20, city = CASE WHEN position % 4 > 0 THEN 'boston' END,
    weather = CASE position % 5 WHEN 0 THEN ['Rain', 'Fog', 'Rain'] WHEN 1 THEN ['Fog'] END,
    city_null = CASE WHEN position % 8 = 1 THEN 'word' END;
"""


def has_value(field: Field, value: str | None) -> np.ndarray:
    i = np.arange(58)
    weathers: dict[int, tuple[str | None, ...]] = {0: ("Rain", "Fog"), 1: ("Fog",)}
    values: dict[str, list[tuple[str | None, ...]]] = {
        "level": [(f"level {number // 20}",) for number in i.tolist()],
        "label": [(("no roadwork", "roadwork")[number % 2],) for number in i.tolist()],
        "city": [("boston" if n % 4 > 0 and n % 8 != 1 else None,) for n in i.tolist()],
        "weather": [weathers.get(number % 5, (None,)) for number in i.tolist()],
    }
    return np.array([value in own for own in values[field]])


@pytest.mark.parametrize("field", ["level", "label", "city", "weather"])
def test_groups_are_plain_means_of_their_challenges(tmp_path: Path, field: Field) -> None:
    store = Store(tmp_path / "grouped")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS + LEVELS)
    with reading(store) as connection:
        stage_gates(connection, "gated")
        groups = gate_groups(connection, "gated", field, settings=SETTINGS, measure="gate")
    gates, right, _ = plain()
    assert len(groups) == {"level": 3, "label": 2, "city": 2, "weather": 3}[field]
    for group in groups:
        own = has_value(field, group.value)
        assert (group.right, group.wrong) == ((own & right).sum(), (own & ~right).sum())
        assert group.wrong_images == len(np.unique(np.arange(58)[own & ~right] % 20))
        for view, values in zip(group.views, gates.T, strict=True):
            assert view.mean == pytest.approx(values[own].mean())
            assert view.wrong == pytest.approx(values[own & ~right].mean())
            assert view.interval is None or view.interval[0] <= (view.difference or 0.0)


def test_what_the_candidate_was_trained_on_is_left_out(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    training = pl.DataFrame(
        {"parquet": ["s.parquet"], "row": [7], "vid_id": [None], "gps_lat": [None]}
        | {"gps_lon": [None]},
        schema_overrides={"vid_id": pl.String, "gps_lat": pl.Float64, "gps_lon": pl.Float64},
    )
    means = gate_means(connection, "gated", settings=SETTINGS, training=training)
    assert means.challenges == 55
    assert means.left_out["overlaps with training rows"] == 3
    assert means.challenges + sum(means.left_out.values()) == 60


MANY_CITIES = """
INSERT INTO media BY NAME
SELECT source.* REPLACE (
    'd' || n AS challenge_id, n AS position,
    CASE WHEN n % 2 = 0 THEN 'a' ELSE 'city ' || n END AS city
)
FROM media AS source, range(300) AS r (n) WHERE challenge_id = 'c0';
INSERT INTO replay_predictions BY NAME
SELECT source.* REPLACE ('d' || n AS challenge_id)
FROM replay_predictions AS source, range(300) AS r (n) WHERE challenge_id = 'c0';
INSERT INTO replay_gates BY NAME
SELECT source.* REPLACE ('d' || n AS challenge_id)
FROM replay_gates AS source, range(300) AS r (n) WHERE challenge_id = 'c0';
"""


def test_many_values_are_the_largest_ones(tmp_path: Path) -> None:
    """A log may name a city for every challenge."""
    store = Store(tmp_path / "many")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS)
        writer.connection.execute(MANY_CITIES)
    with reading(store) as connection:
        stage_gates(connection, "gated")
        groups = gate_groups(connection, "gated", "city", settings=SETTINGS)
    assert [(group.value, group.challenges) for group in groups] == [("a", 150), (None, 58)]
