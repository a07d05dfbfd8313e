"""The SQL page: what is asked and shown, its refusals, and hostile text."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data.store import STORE_VARIABLE, Store
from tests.dashboards.page import HOSTILE, plain, rendered, the_page
from tests.made_once import golden_store

ESCAPE = "\x1b[2J"


@pytest.fixture
def store(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    store = golden_store(tmp_path_factory, tmp_path / "store", "e9")
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    return store


def _ask(page: AppTest, sql: str) -> AppTest:
    page.text_area(key="sql").set_value(sql)
    return page.button[0].click().run()


def test_an_empty_store_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("sql")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_nothing_is_asked_until_a_query_is_run_or_the_link_has_one(store: Store) -> None:
    page = the_page("sql")
    assert not page.exception
    assert "media" in str(page.text_area(key="sql").value)
    assert len(page.dataframe) == 1  # the columns of media
    linked = the_page("sql", sql="SELECT 42 AS answer")
    assert linked.dataframe[1].value["answer"].tolist() == [42]
    assert linked.text_area(key="sql").value == "SELECT 42 AS answer"


def test_a_query_gives_a_table_a_chart_and_its_link(store: Store) -> None:
    page = _ask(the_page("sql"), "SELECT label, count(*) AS n FROM media GROUP BY ALL ORDER BY ALL")
    assert not page.exception
    frame = page.dataframe[1].value
    assert frame["label"].tolist() == [0, 1]
    assert "**2 rows**, 2 columns" in rendered(page)
    assert str(page.query_params["sql"]).startswith("SELECT label, count(*) AS n FROM media")
    assert [box.label for box in page.selectbox[-3:]] == ["Across", "Up", "Drawn as"]
    for mark in ("line", "point"):
        page = page.selectbox[-1].select(mark).run()
        assert not page.exception


def test_an_example_goes_into_the_editor_and_is_run(store: Store) -> None:
    page = the_page("sql")
    page = page.selectbox(key="example").select("What could not be read, and why").run()
    assert not page.exception
    assert "FROM rejects" in str(page.text_area(key="sql").value)
    assert "**0 rows**" in rendered(page)


REFUSED = """
DELETE FROM media
INSERT INTO media SELECT * FROM media
UPDATE media SET label = 1
DROP TABLE media
ALTER TABLE media DROP label
CREATE TABLE stolen AS FROM media
CREATE TEMP TABLE big AS FROM media
SELECT 1; DELETE FROM media
EXPLAIN ANALYZE DELETE FROM media
EXPLAIN ANALYZE COPY media TO 'stolen.csv'
COPY media TO 'stolen.csv'
COPY (SELECT 1) TO 'stolen.parquet' (FORMAT parquet)
COPY media FROM 'stolen.csv'
EXPORT DATABASE 'stolen'
IMPORT DATABASE 'stolen'
ATTACH 'other.duckdb' AS other
ATTACH ':memory:' AS other
DETACH warehouse
USE memory
INSTALL httpfs
LOAD httpfs
SET enable_external_access = true
SET memory_limit = '100GB'
RESET memory_limit
PRAGMA memory_limit = '100GB'
PRAGMA database_list
CALL pragma_version()
CHECKPOINT
VACUUM
PREPARE later AS DELETE FROM media
CREATE MACRO f() AS 1
FROM read_text('/etc/passwd')
FROM read_blob('/etc/passwd')
FROM read_csv('/etc/passwd')
FROM sniff_csv('/etc/passwd')
FROM read_json('/etc/passwd')
FROM read_parquet('/etc/passwd')
FROM parquet_metadata('/etc/passwd')
FROM glob('/etc/*')
FROM '/etc/passwd'
FROM 'stolen.csv'
FROM 'https://example.org/a.csv'
FROM read_csv('s3://bucket/a.csv')
SELECT getenv('PATH')
FROM sys
SELEC 1
"""


def test_what_could_write_or_reach_out_is_refused_in_one_line(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    before = store.warehouse.read_bytes()
    page = the_page("sql")
    for sql in REFUSED.strip().splitlines():
        page.query_params["sql"] = sql
        page.run()
        assert not page.exception, sql
        assert len(page.error) == 1, sql
        assert page.code[-1].value.startswith("query: found "), sql
        assert "\n" not in page.code[-1].value, sql
        assert "root:" not in plain(page), sql
        assert not page.get("download_button"), sql
        assert store.warehouse.read_bytes() == before, sql
        files = {file.name for file in store.root.iterdir()}
        assert files <= {store.warehouse.name, "warehouse.lock"}, sql
        assert not list((tmp_path / "elsewhere").iterdir()), sql


def test_hostile_text_is_shown_as_text(store: Store) -> None:
    hostile = f"{HOSTILE} {ESCAPE}"
    page = _ask(the_page("sql"), f"SELECT '{hostile}' AS \"{hostile}\", i FROM range(3) r(i)")  # noqa: S608
    assert not page.exception
    shown = hostile.replace("\x1b", "\\x1b")
    frame = page.dataframe[1].value
    assert frame.columns.tolist() == [shown, "i"]
    assert set(frame[shown]) == {shown}
    assert "script" not in rendered(page)


def test_many_rows_and_long_values_are_cut_and_said(store: Store) -> None:
    page = _ask(the_page("sql"), "SELECT repeat('x', 1000000) AS long FROM range(3)")
    assert {len(value) for value in page.dataframe[1].value["long"]} == {1000}
    page = _ask(page, "SELECT * FROM range(5000)")
    assert len(page.dataframe[1].value) == 1000
    assert "the first 1,000 rows of more" in rendered(page)


def test_any_type_of_duckdb_is_shown(store: Store) -> None:
    values = (
        "1::HUGEINT * 170141183460469231731687303715884105727, 1.5::DECIMAL(4, 2), now(), "
        "DATE '2026-01-01', TIME '12:00', INTERVAL 1 DAY, [1, NULL], {'a': 1}, 'x'::BLOB, uuid(), "
        "'nan'::DOUBLE, NULL, TRUE"
    )
    page = _ask(the_page("sql"), f"SELECT {values} UNION ALL SELECT {values}")
    assert not page.exception
    assert page.dataframe[1].value.shape == (2, 13)
