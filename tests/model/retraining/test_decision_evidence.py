"""What has changed in a small log, counted by hand with polars."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from analytics.ingest.ingest import ingest
from analytics.scoring.tracker import Tracker
from analytics.simulation.validator import simulate
from analytics.warehouse.connection import reading, writing
from data.records.eras import EXPONENTS
from data.records.fields import SCENE_NULL_COLUMNS
from data.store import Store
from model.retraining.decide import Evidence, decide
from model.retraining.decision_evidence import decision_evidence
from model.retraining.reference import Reference
from model.retraining.settings import DecisionSettings
from tests.model.weighting.weighing_world import sources
from tests.worlds.audit_logs import write_lines
from tests.worlds.replays import publish_replay
from tests.worlds.simulated_logs import small_settings

BEGIN, SINCE = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
RUN = "replay-a"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """E7 of all cities, then E9 of Boston; the champion gets worse and looks elsewhere."""
    folder = tmp_path_factory.mktemp("log")
    store, listed = Store(folder / "store"), sources()
    boston = [one for one in listed if one.columns["city_name"] == "boston"]
    logs = []
    for era, started, sent in (("E7", BEGIN, listed), ("E9", SINCE, boston)):
        settings = small_settings(challenges=200, era=era, started=started)
        logs.append(write_lines(folder / f"{era}.jsonl", simulate(settings, sent)))
    ingest(store, logs)
    # only the client's own logs say when; here a minute apart
    first_days = "CASE era WHEN 'E7' THEN TIMESTAMP '2026-02-01' ELSE TIMESTAMP '2026-03-01' END"
    with writing(store) as writer:
        minutes = "position * INTERVAL 1 MINUTE"
        writer.connection.execute(f"UPDATE media SET time = {first_days} + {minutes}")  # noqa: S608
    rng = np.random.default_rng(0)
    answers: dict[str, list[float] | float | None] = {}
    gates = []
    with reading(store) as connection:
        rows = media(connection).select("challenge_id", "label", "later").rows()
    for challenge_id, label, later in rows:
        right = rng.random() < (0.5 if later else 0.95)
        answers[challenge_id] = 0.9 if (label == 1) == right else 0.1
        share = rng.normal(0.6 if later else 0.8, 0.05)
        gates += [(RUN, challenge_id, k, one, one) for k, one in enumerate((share, 1 - share), 1)]
    publish_replay(store, answers, RUN)
    with writing(store) as writer:
        writer.connection.executemany("INSERT INTO replay_gates VALUES (?, ?, ?, ?, ?)", gates)
    return store


def media(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The challenges in order of their ids, and whether each is of the later period."""
    found: pl.DataFrame = connection.sql("SELECT * FROM media ORDER BY challenge_id").pl()
    later = pl.col("time") >= SINCE.replace(tzinfo=None)
    return found.with_columns(later=later, image=pl.format("{}:{}", "parquet", "row"))


@pytest.fixture(scope="module")
def connection(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def found(store: Store, connection: duckdb.DuckDBPyConnection) -> Evidence:
    return gathered(store, connection, SINCE)


def gathered(store: Store, connection: duckdb.DuckDBPyConnection, since: datetime) -> Evidence:
    reference = Reference(RUN, since, last=BEGIN, new_rows=123)
    return decision_evidence(connection, store, reference, DecisionSettings())


@pytest.fixture(scope="module")
def distinct(connection: duckdb.DuckDBPyConnection) -> list[pl.DataFrame]:
    """Of the earlier and of the later period one challenge for each image."""
    return [
        media(connection).filter(later=later).unique("image", keep="first", maintain_order=True)
        for later in (False, True)
    ]


def shares(frame: pl.DataFrame, column: str) -> dict[Any, float]:
    return {
        value: count / frame.height for value, count in frame[column].value_counts().iter_rows()
    }


def distance(before: dict[Any, float], after: dict[Any, float]) -> float:
    """Half the sum of absolute differences."""
    every = before.keys() | after.keys()
    return sum(abs(before.get(value, 0.0) - after.get(value, 0.0)) for value in every) / 2


def test_cities_are_counted_once_an_image(found: Evidence, distinct: list[pl.DataFrame]) -> None:
    assert found.cities is not None
    before, after = (shares(frame, "city") for frame in distinct)
    assert set(after) == {"boston"}
    assert found.cities.size == pytest.approx(distance(before, after))
    assert found.cities.size > 0.5
    assert [found.cities.before, found.cities.after] == [frame.height for frame in distinct]
    assert found.cities.before < 200
    assert found.cities.p_value < 0.01


def test_null_rates_are_those_of_the_fields(found: Evidence, distinct: list[pl.DataFrame]) -> None:
    assert set(found.nulls) == set(SCENE_NULL_COLUMNS)
    different = 0
    for name in SCENE_NULL_COLUMNS:
        before, after = (frame[f"{name}_null"].is_not_null().mean() for frame in distinct)
        assert isinstance(before, float)
        assert isinstance(after, float)
        assert found.nulls[name].size == pytest.approx(abs(after - before))
        different += before != after
    assert different >= 2


def test_gates_are_means_of_the_views_shares(
    found: Evidence, connection: duckdb.DuckDBPyConnection, distinct: list[pl.DataFrame]
) -> None:
    gates = connection.sql(f"SELECT * FROM replay_gates WHERE run_id = '{RUN}'").pl()  # noqa: S608
    before, after = (
        dict(
            gates.filter(pl.col("challenge_id").is_in(frame["challenge_id"].to_list()))
            .group_by("view")
            .agg(pl.col("share").mean())
            .iter_rows()
        )
        for frame in distinct
    )
    assert found.gates is not None
    assert found.gates.size == pytest.approx(distance(before, after))
    assert found.gates.size == pytest.approx(0.2, abs=0.02)
    assert found.gates.p_value < 0.01


def less_the_miners(connection: duckdb.DuckDBPyConnection, *, later: bool) -> float:
    """The champion's reward less the miners', each asked miner's answers scored one by one."""
    query = """
        SELECT media.label, media.era, uid, hotkey, prediction, probability, time >= $since AS later
        FROM responses
        JOIN media USING (challenge_id)
        JOIN replay_predictions USING (challenge_id)
        ORDER BY time, slot
    """
    asked = connection.sql(query, params={"since": SINCE.replace(tzinfo=None)}).pl()
    rewards = []
    for _, answers in asked.filter(later=later).group_by("uid", "hotkey", maintain_order=True):
        exponents = answers["era"].replace_strict(EXPONENTS, return_dtype=pl.Float64)
        miner, champion = (
            Tracker()
            .answer(
                np.zeros(answers.height, np.int64),
                0,
                answers[column].fill_null(np.nan).to_numpy(),
                answers["label"].to_numpy(),
                exponents.to_numpy(),
            )
            .reward
            for column in ("prediction", "probability")
        )
        rewards += (champion - miner).tolist()
    return float(np.mean(rewards))


def test_the_reward_is_the_change_of_what_the_champion_earns_beside_the_miners(
    found: Evidence, connection: duckdb.DuckDBPyConnection
) -> None:
    assert found.reward is not None
    change, (low, high) = found.reward
    earlier, later = (less_the_miners(connection, later=later) for later in (False, True))
    assert change == pytest.approx(later - earlier)
    assert low < change < high < 0


def test_the_era_that_came_since_is_new_and_the_rest_is_handed_on(found: Evidence) -> None:
    assert found.new_eras == ("E9",)
    assert (found.last, found.new_rows) == (BEGIN, 123)
    decision = decide(found)
    assert decision.due
    said = "; ".join(decision.reasons)
    for part in ("cities' shares drifted", "views' shares drifted", "reward fell", "era E9 is new"):
        assert part in said


@pytest.mark.parametrize("since", [BEGIN - timedelta(days=1), SINCE + timedelta(days=30)])
def test_with_one_period_alone_nothing_has_changed(
    store: Store, connection: duckdb.DuckDBPyConnection, since: datetime
) -> None:
    found = gathered(store, connection, since)
    assert (found.cities, found.gates, found.reward, found.new_eras) == (None, None, None, ())
    assert found.nulls == {}
    assert not decide(found).reasons


def test_the_time_of_a_reference_may_have_any_offset(
    store: Store, connection: duckdb.DuckDBPyConnection, found: Evidence
) -> None:
    elsewhere = SINCE.astimezone(timezone(timedelta(hours=-7)))
    assert gathered(store, connection, elsewhere).cities == found.cities
