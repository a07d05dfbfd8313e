"""NULL kinds by era, source and label against counting the warehouse's rows one by one."""

from collections.abc import Iterator
from statistics import NormalDist

import duckdb
import pytest

from analytics.comparison.intervals import newcombe_interval
from analytics.leaks.null_kinds import KINDS, NullKinds, chosen, label_gaps, null_kinds
from analytics.leaks.null_rates import null_rates
from analytics.warehouse.connection import reading, writing
from data.records.fields import NULL_COLUMNS
from tests.made_once import golden_store

# Images that are sent once, and some whose challenges disagree in kind and label.
ODD = """
UPDATE media SET source = 'synthetic', parquet = NULL, row = NULL, gps_null = 'absent'
WHERE position % 5 = 1;
UPDATE media SET city_null = 'unreadable' WHERE position % 4 = 2 AND era = 'E7';
UPDATE media SET weather_null = 'word' WHERE position % 3 = 2;
UPDATE media SET label = 1 - label WHERE position % 11 = 4;
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("kinds") / "store"
    store = golden_store(tmp_path_factory, root, "e5", "e7", "e9")
    with writing(store) as writer:
        writer.connection.execute(ODD)
    with reading(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def kinds(connection: duckdb.DuckDBPyConnection) -> list[NullKinds]:
    return null_kinds(connection)


@pytest.mark.parametrize("field", ["city", "gps", "weather", "scene_description"])
def test_every_count_is_that_of_the_rows(
    connection: duckdb.DuckDBPyConnection, kinds: list[NullKinds], field: str
) -> None:
    rows = connection.execute(
        "SELECT era, coalesce(source, 'real'), label, "  # noqa: S608
        f"coalesce(parquet || ' ' || row, challenge_id), coalesce({field}_null, '') FROM media"
    ).fetchall()
    own = [one for one in kinds if one.field == field]
    assert {(one.era, one.source, one.label) for one in own} == {
        (era if keep & 1 else None, source if keep & 2 else None, label if keep & 4 else None)
        for era, source, label, *_ in rows
        for keep in range(8)
    }
    for one in own:
        images: dict[str, list[str]] = {}
        for era, source, label, image, kind in rows:
            if (
                one.era in (None, era)
                and one.source in (None, source)
                and one.label in (None, label)
            ):
                images.setdefault(image, []).append(kind)
        found = [min(of_image) for of_image in images.values()]
        assert one.challenges == sum(map(len, images.values()))
        assert one.unreadable == found.count("unreadable")
        assert one.n == len(found) - one.unreadable
        counts = (one.absent, one.json_null, one.empty, one.word)
        assert counts == tuple(map(found.count, ("absent", "null", "empty", "word")))
        assert one.count("any") == sum(counts)


def test_by_era_and_source_they_are_the_null_rates(
    connection: duckdb.DuckDBPyConnection, kinds: list[NullKinds]
) -> None:
    rates = null_rates(connection)
    assert len(rates) > len(NULL_COLUMNS)
    for rate in rates:
        (own,) = [
            one for one in chosen(kinds, rate.era, rate.source, None) if one.field == rate.field
        ]
        assert (own.n, own.unreadable, own.count("any")) == (rate.n, rate.unreadable, rate.nulls)
        assert own.rate("any") == rate.rate
        assert own.interval("any") == rate.interval


def test_interval_is_wilsons_by_its_formula(kinds: list[NullKinds]) -> None:
    z = NormalDist().inv_cdf(0.975)
    for one in [kind for kind in kinds if kind.n][::40]:
        for kind in KINDS:
            share, n = one.count(kind) / one.n, one.n
            middle = (share + z * z / (2 * n)) / (1 + z * z / n)
            half = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
            assert one.interval(kind) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_gaps_are_of_both_labels(kinds: list[NullKinds]) -> None:
    gaps = label_gaps(kinds, None, None)
    assert set(gaps) == set(NULL_COLUMNS)
    gap = gaps["scene_description"]
    assert (gap.zero.label, gap.one.label) == (0, 1)
    ones, zeros = (side.count("any") for side in (gap.one, gap.zero))
    assert gap.difference == pytest.approx(ones / gap.one.n - zeros / gap.zero.n)
    assert gap.interval == newcombe_interval(ones, gap.one.n, zeros, gap.zero.n)
    assert label_gaps(kinds, "E1", None) == {}


def test_an_unread_field_has_no_rate() -> None:
    none = NullKinds("city", None, None, 0, 3, 0, 3, 0, 0, 0, 0)
    assert none.rate("any") is None
    assert none.interval("any") == (0.0, 1.0)
