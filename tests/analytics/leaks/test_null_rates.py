"""NULL rates against the logs and shards themselves, their drift against scipy, the relation."""

import shutil
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from scipy import stats
from typer.testing import CliRunner

from analytics.commands.null_rates import app
from analytics.comparison.intervals import newcombe_interval, wilson_interval
from analytics.ingest.ingest import ingest
from analytics.leaks.null_rates import NullRate, null_rate_row, null_rates
from analytics.leaks.null_rates_relation import publish_null_rates
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError
from data.records.fields import NULL_COLUMNS, VALIDATOR_NULL_COLUMNS
from data.sources.shards import Shards
from data.store import Store
from tests.conftest import GOLDEN
from tests.made_once import golden_store

SOURCES = GOLDEN / "e7" / "sources"
ODD = """
UPDATE media SET source = 'synthetic', parquet = NULL, row = NULL, gps_null = 'absent'
WHERE position % 5 = 1;
UPDATE media SET city_null = 'unreadable' WHERE position % 4 = 2 AND era = 'E7';
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("rates") / "store"
    store = golden_store(tmp_path_factory, root, "e5", "e7", "e9")
    with writing(store) as writer:
        writer.connection.execute(ODD)
    return store


@pytest.fixture(scope="module")
def rates(store: Store) -> list[NullRate]:
    with reading(store) as connection:
        return null_rates(connection, Shards(SOURCES))


def images(connection: duckdb.DuckDBPyConnection, rate: NullRate) -> dict[str, set[str]]:
    """The NULL kinds, '' for a value, of every source image of a rate's challenges."""
    rows = connection.execute(
        "SELECT era, coalesce(source, 'real'), coalesce(parquet || ' ' || row, challenge_id), "  # noqa: S608
        f"coalesce({rate.field}_null, '') FROM media"
    ).fetchall()
    kinds: dict[str, set[str]] = {}
    for era, source, image, kind in rows:
        if era == rate.era and rate.source in (None, source):
            kinds.setdefault(image, set()).add(kind)
    return kinds


def test_each_image_counts_once_an_era(store: Store, rates: list[NullRate]) -> None:
    of_challenges = [rate for rate in rates if rate.rows_of == "challenges"]
    assert {rate.field for rate in of_challenges} == set(NULL_COLUMNS)
    assert {(rate.era, rate.source) for rate in of_challenges} == {
        (era, source) for era in ("E4", "E7", "E9") for source in (None, "real", "synthetic")
    }
    with reading(store) as connection:
        for rate in of_challenges:
            kinds = [min(seen) for seen in images(connection, rate).values()]
            assert rate.unreadable == kinds.count("unreadable")
            assert rate.n == len(kinds) - rate.unreadable
            assert rate.nulls == rate.n - kinds.count("")
            counted = (rate.absent, rate.json_null, rate.empty, rate.word)
            assert counted == tuple(map(kinds.count, ("absent", "null", "empty", "word")))
            assert rate.interval == wilson_interval(rate.nulls, rate.n)
        (challenges,) = connection.execute("SELECT count(*) FROM media").fetchall()[0]
    of_gps = [rate for rate in of_challenges if rate.field == "gps" and rate.source is None]
    assert sum(rate.challenges for rate in of_gps) == challenges


def test_source_rows_are_counted_from_the_shards(rates: list[NullRate]) -> None:
    by_field = {rate.field: rate for rate in rates if rate.rows_of == "sources"}
    assert set(by_field) == set(NULL_COLUMNS) - set(VALIDATOR_NULL_COLUMNS)
    table = pl.concat(
        pl.DataFrame(pq.read_table(path, columns=["gps", "city_name", "scene_description"]))
        for path in SOURCES.glob("*.parquet")
    )
    for field, column in (("gps", "gps"), ("city", "city_name")):
        assert by_field[field].n == table.height
        assert by_field[field].json_null == table[column].null_count()
    assert by_field["prompt"].absent == table.height
    assert by_field["prompt"].rate == 1.0


def test_drift_is_from_the_era_before_and_adjusted_over_all_tests(rates: list[NullRate]) -> None:
    chains: dict[tuple[str, str | None], list[NullRate]] = {}
    for rate in rates:
        if rate.rows_of == "challenges":
            chains.setdefault((rate.field, rate.source), []).append(rate)
    p_values, adjusted = [], []
    for chain in chains.values():
        assert chain[0].drift is None
        for before, rate in pairwise(chain):
            if rate.n and before.n:
                check_drift(rate, before)
    for rate in rates:
        if rate.drift is not None:
            p_values.append(rate.drift.p)
            adjusted.append(rate.drift.p_adjusted)
    assert len(p_values) > 60
    # Holm's p is Bonferroni's for the smallest, and never below what Benjamini and Hochberg allow
    assert min(adjusted) == pytest.approx(min(1.0, min(p_values) * len(p_values)))
    assert all(
        ours >= theirs - 1e-12
        for ours, theirs in zip(adjusted, stats.false_discovery_control(p_values), strict=True)
    )


def check_drift(rate: NullRate, before: NullRate) -> None:
    drift = rate.drift
    assert drift is not None
    assert drift.against == before.era
    assert drift.difference == pytest.approx(rate.nulls / rate.n - before.nulls / before.n)
    assert drift.interval == newcombe_interval(rate.nulls, rate.n, before.nulls, before.n)
    table = [[rate.nulls, before.nulls], [rate.n - rate.nulls, before.n - before.nulls]]
    assert drift.p == pytest.approx(stats.fisher_exact(table).pvalue)


def test_source_rows_drift_from_the_newest_eras_real_images(rates: list[NullRate]) -> None:
    newest = {r.field: r for r in rates if (r.era, r.source) == ("E9", "real")}
    for rate in rates:
        if rate.rows_of == "sources" and newest[rate.field].n:
            assert rate.drift is not None
            assert rate.drift.against == "E9"


def test_the_relation_is_the_report_and_an_ingest_empties_it(
    store: Store, rates: list[NullRate], tmp_path: Path
) -> None:
    store = Store(Path(shutil.copytree(store.root, tmp_path / "copy")))
    publish_null_rates(store, rates)
    published = store.warehouse.read_bytes()
    with reading(store) as connection:
        frame = connection.sql("FROM null_rates").pl()
    assert frame.to_dicts() == [
        {name: null_rate_row(rate)[name] for name in frame.columns} for rate in rates
    ]
    # the same again writes nothing
    publish_null_rates(store, rates)
    assert store.warehouse.read_bytes() == published
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    with reading(store) as connection:
        assert connection.execute("SELECT count(*) FROM null_rates").fetchall() == [(len(rates),)]
    ingest(store, [GOLDEN / "real" / "media_record.json"])
    with reading(store) as connection:
        assert connection.execute("SELECT count(*) FROM null_rates").fetchall() == [(0,)]


def test_an_empty_store_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = Store(tmp_path_factory.mktemp("empty"))
    with writing(empty):
        pass
    with reading(empty) as connection, pytest.raises(QueryError, match="no challenge in this"):
        null_rates(connection)


def test_the_command_prints_a_table_or_json_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Store(tmp_path_factory.mktemp("other"))
    ingest(other, [GOLDEN / "e7" / "challenges.jsonl"])
    words = ["--store", str(other.root), "--sources", str(SOURCES)]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert "source rows: NULL by field" in shown.stdout
    assert "its NULL is the label itself" in shown.stderr
    found = CliRunner().invoke(app, [*words, "--json"])
    with reading(other) as connection:
        frame = connection.sql("FROM null_rates").pl()
    assert pl.DataFrame(pl.read_json(found.stdout.encode())).height == frame.height
