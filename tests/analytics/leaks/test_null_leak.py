"""The label leak against scikit-learn, on the golden logs and on made-up ones."""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import product

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef, mutual_info_score

from analytics.leaks.null_leak import (
    LeakChoice,
    LeakSettings,
    NullLeak,
    mutual_information,
    null_leaks,
)
from analytics.warehouse.connection import reading, writing
from analytics.warehouse.statements import statements
from data.errors import QueryError
from data.records.fields import NULL_COLUMNS
from data.store import Store
from tests.made_once import golden_store

# a synthetic challenge and an unreadable field, which no golden file holds
ODD = """
UPDATE media SET source = 'synthetic', parquet = NULL, row = NULL, gps_null = 'absent'
WHERE position % 5 = 1;
UPDATE media SET city_null = 'unreadable' WHERE position % 4 = 2;
"""

# images whose challenges disagree in kind, and in the label
MIXED = """
UPDATE media SET weather_null = 'word' WHERE position % 3 = 2;
UPDATE media SET label = 1 - label WHERE position % 11 = 4;
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("leaks") / "store"
    store = golden_store(tmp_path_factory, root, "e5", "e7")
    with writing(store) as writer:
        writer.connection.execute(ODD)
    with reading(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def leaks(connection: duckdb.DuckDBPyConnection) -> list[NullLeak]:
    return null_leaks(connection)


def test_every_number_is_scikit_learns(
    connection: duckdb.DuckDBPyConnection, leaks: list[NullLeak]
) -> None:
    media = connection.sql(
        "SELECT * EXCLUDE (source), coalesce(source, 'real') AS source FROM media"
    )
    frame = media.pl().to_pandas()
    for leak in leaks:
        part = frame[(frame.era == leak.era) | (leak.era is None)]
        part = part[(part.source == leak.source) | (leak.source is None)]
        kinds = part[f"{leak.field}_null"].fillna("")
        used = kinds != "unreadable"
        null = kinds != "" if leak.kind == "any" else kinds == leak.kind
        label, held = part.label[used], ~null[used]
        assert (leak.n, leak.left_out) == (used.sum(), (~used).sum())
        assert leak.nulls == null[used].sum()
        assert leak.bits == pytest.approx(mutual_info_score(label, held) / math.log(2), abs=1e-12)
        if label.nunique() == 2:
            assert leak.mcc == pytest.approx(matthews_corrcoef(label, held), abs=1e-12)


def test_every_field_is_there_by_era_and_source_and_over_all(leaks: list[NullLeak]) -> None:
    groups = {(leak.era, leak.source) for leak in leaks if leak.kind == "any"}

    assert {leak.field for leak in leaks} == set(NULL_COLUMNS)
    assert groups == set(product((None, "E4", "E7"), (None, "real", "synthetic")))
    overall = [leak for leak in leaks if leak.kind == "any" and leak.era is leak.source is None]
    assert {leak.n + leak.left_out for leak in overall} == {460}


def test_a_description_is_the_label(leaks: list[NullLeak]) -> None:
    [description] = [
        leak
        for leak in leaks
        if (leak.field, leak.kind) == ("scene_description", "any")
        and leak.era is leak.source is None
    ]

    assert description.mcc == 1.0
    assert description.bits == pytest.approx(description.label_bits)
    assert description.mcc_interval == (1.0, 1.0)


def test_intervals_hold_repeats_of_an_image_together(store: Store) -> None:
    """GPS is NULL by chance, but each of 20 images comes 50 times: as wide as 20, not as 1000."""
    rng = np.random.default_rng(1)
    fill(store, [(i % 20, i % 20 % 2, bool(rng.integers(2))) for i in range(20)] * 50)
    other = Store(store.root / "apart")
    with reading(store) as connection:
        rows = connection.execute("SELECT label, gps_null IS NOT NULL FROM media").fetchall()
        [together] = gps_any(connection)
    fill(other, [(number, *row) for number, row in enumerate(rows)])
    with reading(other) as connection:
        [apart] = gps_any(connection)

    assert (together.n, together.images, apart.images) == (1000, 20, 1000)
    assert together.bits == apart.bits
    assert width(together) > 4 * width(apart)


def test_one_label_has_no_mcc(store: Store) -> None:
    fill(store, [(number, 1, number % 2 == 0) for number in range(30)])
    with reading(store) as connection:
        [leak] = gps_any(connection)

    assert (leak.mcc, leak.mcc_interval, leak.bits, leak.label_bits) == (None, None, 0.0, 0.0)


def test_few_images_have_no_interval_and_no_challenge_no_report(store: Store) -> None:
    with writing(store):
        pass
    with reading(store) as connection, pytest.raises(QueryError, match=r"no challenge.*ingest"):
        null_leaks(connection)
    fill(store, [(number, number % 2, number % 2 == 0) for number in range(9)])
    with reading(store) as connection:
        [leak] = gps_any(connection)
    assert (leak.mcc, leak.mcc_interval, leak.bits_interval) == (1.0, None, None)


@given(st.lists(st.integers(0, 50), min_size=4, max_size=4))
def test_information_is_at_most_the_labels_and_needs_both_to_vary(counts: list[int]) -> None:
    table = np.array(counts, dtype=np.float64).reshape(2, 2)
    bits = float(mutual_information(table))

    assert 0 <= bits <= float(mutual_information(np.diag(table.sum(axis=1)))) + 1e-12
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        assert bits == pytest.approx(0.0, abs=1e-12)


def fill(store: Store, rows: list[tuple[int, int, bool]]) -> None:
    """Challenges of (image, label, whether GPS is NULL)."""
    with writing(store) as writer:
        writer.connection.execute(
            "INSERT INTO media BY NAME SELECT 'c' || unnest($numbers) AS challenge_id, "
            "'f' AS file, unnest($numbers) AS position, 'E7' AS era, ['E7'] AS era_candidates, "
            "unnest($labels) AS label, 's' AS parquet, unnest($images) AS row, 'real' AS source, "
            "CASE WHEN unnest($nulls) THEN 'null' END AS gps_null, "
            "false AS flip_horizontal, false AS flip_vertical",
            {
                "numbers": list(range(len(rows))),
                "images": [row[0] for row in rows],
                "labels": [row[1] for row in rows],
                "nulls": [row[2] for row in rows],
            },
        )


def gps_any(connection: duckdb.DuckDBPyConnection) -> list[NullLeak]:
    leaks = null_leaks(connection, LeakSettings(draws=400))
    return [
        leak
        for leak in leaks
        if (leak.field, leak.kind) == ("gps", "any") and leak.era is leak.source is None
    ]


def width(leak: NullLeak) -> float:
    assert leak.mcc_interval is not None
    return leak.mcc_interval[1] - leak.mcc_interval[0]


def test_one_era_and_source_are_the_same_alone(
    connection: duckdb.DuckDBPyConnection, leaks: list[NullLeak]
) -> None:
    every = {(leak.field, leak.era, leak.source): leak for leak in leaks if leak.kind == "any"}
    for era, source in {key[1:] for key in every}:
        alone = null_leaks(connection, only=LeakChoice(era, source))
        fields = {field for field, *group in every if group == [era, source]}
        assert {leak.field for leak in alone} == fields
        assert all(leak == every[leak.field, era, source] for leak in alone)
    with pytest.raises(QueryError):
        null_leaks(connection, only=LeakChoice("E1", None))


@pytest.mark.parametrize("field", ["weather", "city", "gps", "scene_description"])
def test_patterns_are_those_of_the_rows(
    field: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Counted one challenge after the other: every image, era and source."""
    root = tmp_path_factory.mktemp("mixed") / "store"
    store = golden_store(tmp_path_factory, root, "e5", "e7")
    with writing(store) as writer:
        writer.connection.execute(ODD + MIXED)
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT era, coalesce(source, 'real'), label, "  # noqa: S608
            f"coalesce(parquet || ' ' || row, challenge_id), coalesce({field}_null, '') FROM media"
        ).fetchall()
        connection.execute(statements("analytics/leaks/image_nulls"))
        found = connection.execute(
            statements("analytics/leaks/null_patterns"),
            {"every": True, "era": None, "source": None},
        ).fetchall()
    images: dict[tuple[str | None, str | None, str], Counter[tuple[int, str]]] = {}
    for era, source, label, image, kind in rows:
        for group in product((None, era), (None, source)):
            images.setdefault((*group, image), Counter())[label, kind] += 1
    patterns = Counter(
        (era, source, tuple((*cell, n) for cell, n in sorted(cells.items())))
        for (era, source, _), cells in images.items()
    )
    assert any(len(cells) > 1 for _, _, cells in patterns)
    own = {
        (era, source, tuple(tuple(cell.values()) for cell in cells)): images
        for name, era, source, cells, images in found
        if name == field
    }
    assert own == patterns
