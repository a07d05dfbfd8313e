"""The NULL rates page on empty, one-sided, full and hostile stores."""

from pathlib import Path

import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.warehouse.connection import reading
from data.records.fields import NULL_COLUMNS
from data.store import STORE_VARIABLE, Store
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, charts, plain, rendered, table, the_page
from tests.made_once import golden_store


@pytest.fixture
def store(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    store = golden_store(tmp_path_factory, tmp_path / "store", "e7", "e9")
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    return store


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("null_rates")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_a_store_without_a_challenge_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM media")
    page = the_page("null_rates")
    assert not page.exception
    assert "streetreplay ingest LOG" in plain(page)


def test_a_torn_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])
    page = the_page("null_rates")
    assert not page.exception
    assert len(page.error) == 1


def test_the_answer_is_the_mcc_of_the_rows(store: Store) -> None:
    """The description's NULL is the label; on rows changed so that it is not, another field's."""
    every = ", ".join(f"{field}_null = NULL" for field in NULL_COLUMNS)
    weather = "CASE WHEN label = 0 AND position % 9 > 0 THEN 'null' END"
    change(store, f"UPDATE media SET {every}; UPDATE media SET weather_null = {weather}")  # noqa: S608
    with reading(store) as connection:
        rows = connection.execute("SELECT label, weather_null IS NULL FROM media").fetchall()
        (images,) = connection.execute(
            "SELECT count(DISTINCT coalesce(parquet || ':' || row, challenge_id)) FROM media"
        ).fetchall()[0]
    page = the_page("null_rates")

    assert not page.exception
    labels, has_value = zip(*rows, strict=True)
    mcc = matthews_corrcoef(labels, has_value)
    first = str(page.markdown[0].value)
    assert first.startswith("Whether **weather** is NULL tells much of the label")
    assert f"MCC {mcc:.2f} (95% " in first
    assert f"on {len(rows):,} challenges of {images:,} source images" in first
    assert "a value goes with roadwork" in first
    shown = table(page, "MCC").set_index("Field")
    assert shown.loc["weather", "MCC"] == pytest.approx(mcc)
    assert set(shown.index) == set(NULL_COLUMNS)
    assert charts(page) == 3


def test_the_description_gives_the_label_away(store: Store) -> None:
    first = str(the_page("null_rates").markdown[0].value)
    assert first.startswith("Whether **scene_description** is NULL gives away the label")
    assert "MCC 1.00" in first


def test_era_source_and_label_are_of_the_link(store: Store) -> None:
    page = the_page("null_rates", era="E9", label="1 · roadwork")
    assert not page.exception
    with reading(store) as connection:
        (expected,) = connection.execute(
            "SELECT count(DISTINCT coalesce(parquet || ':' || row, challenge_id)) FROM media "
            "WHERE era = 'E9' AND label = 1 AND weather_null IS DISTINCT FROM 'unreadable'"
        ).fetchall()[0]
    shown = table(page, "NULL: any").set_index("Field")
    assert shown.loc["weather", "n"] == expected
    for era in page.selectbox("era").options:
        assert not page.selectbox("era").set_value(era).run().exception


def test_one_label_gives_nothing_away(store: Store) -> None:
    change(store, "UPDATE media SET label = 1")
    page = the_page("null_rates")
    assert not page.exception
    assert "have one label" in rendered(page)


def test_drift_is_said(store: Store) -> None:
    change(store, "UPDATE media SET city_null = CASE WHEN era = 'E9' THEN 'absent' END")
    page = the_page("null_rates")
    assert "`city` +1.00" in rendered(page)
    change(store, "DELETE FROM media WHERE era = 'E9'")
    assert "nothing can have drifted" in rendered(page.run())


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    change(store, f"UPDATE media SET source = '{HOSTILE}', city = '{HOSTILE}'")  # noqa: S608
    page = the_page("null_rates")
    assert not page.exception
    assert "<script" not in rendered(page)
    source = page.selectbox("source").options[1]
    page.selectbox("source").set_value(source).run()
    assert not page.exception
    assert "<script" not in rendered(page)
