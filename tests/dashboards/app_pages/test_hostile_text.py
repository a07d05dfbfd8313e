"""Text of a log is shown as text on every page, and never more of it than a page has room for."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analytics.warehouse.connection import reading
from data.store import STORE_VARIABLE, Store
from tests.conftest import ROOT
from tests.dashboards.conftest import change, keep_comparison, keep_miners
from tests.dashboards.page import plain, rendered, tables, the_page

PAGES = sorted(path.stem for path in (ROOT / "dashboards" / "app_pages").glob("[!_]*.py"))

SHOW_LOGS = {"challenges", "comparison", "my_miner"}

MARK = "HOSTILETEXT"
"""What is looked for wherever Markdown is rendered."""

TEXT = (
    f"<script>{MARK}</script><b onclick=x>{MARK}</b> **{MARK}** :red[{MARK}] :smile: $\\frac{{a}}$ "
    f"[{MARK}](http://x) ![{MARK}](http://x) `{MARK}` # {MARK} | {MARK} | \x1b[2J\x1b]0;{MARK}\x07"
    "\u202e\u2066\u200b"
)
LONG = 10 * 1024 * 1024
# a cell or a line of a page, in characters: longer text of a log is cut
_MOST_CHARACTERS = 2_000

# what text means something to the program: it would no longer be the same record
_MEANINGFUL = {"challenge_id", "era", "geometry", "modality", "parquet", "time", "fidelity"}


def texts(store: Store) -> list[tuple[str, str]]:
    """Relation and column of every text that a log can fill as it likes."""
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'VARCHAR' "
            "AND database_name = 'warehouse' AND table_name IN "
            "('media', 'responses', 'rejects', 'runs', 'logs')"
        ).fetchall()
    return [
        (relation, column)
        for relation, column in rows
        if column not in _MEANINGFUL and not column.endswith("_null")
    ]


@pytest.fixture(scope="module")
def hostile(compared: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    replayed = Store(tmp_path_factory.mktemp("hostile") / "store")
    shutil.copytree(compared, replayed.root)
    found = texts(replayed)
    assert ("media", "city") in found
    assert ("responses", "hotkey") in found
    text = TEXT.replace("'", "''")
    for relation, column in found:
        # one hotkey to each uid, as the same text everywhere would make them one miner
        value = (
            f"'{text}' || uid" if column == "hotkey" and relation == "responses" else f"'{text}'"
        )
        change(replayed, f"UPDATE {relation} SET {column} = {value}")  # noqa: S608
    for list_column in ("weather", "travel_alteration"):
        change(replayed, f"UPDATE media SET {list_column} = ['{text}', '']")  # noqa: S608
    change(replayed, f"UPDATE replay_runs SET model = '{text}'")  # noqa: S608
    long = f"repeat('{MARK} ', {LONG // (len(MARK) + 1)})"
    first = "WHERE position = 0"
    for column in ("city", "scene_description", "source", "file", "weather"):
        value = f"[{long}]" if column == "weather" else long
        change(replayed, f"UPDATE media SET {column} = {value} {first}")  # noqa: S608
    change(replayed, f"UPDATE responses SET hotkey = {long} WHERE uid = 1")  # noqa: S608
    keep_comparison(replayed)
    keep_miners(replayed)
    return replayed


@pytest.mark.parametrize("name", PAGES)
def test_text_of_a_log_is_shown_as_text(
    hostile: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(hostile.root))
    page = the_page(name)
    assert not page.exception
    assert not any("cannot be shown" in str(error.value) for error in page.error), plain(page)
    assert MARK not in rendered(page)
    assert name not in SHOW_LOGS or any(MARK in text for text in shown(page))
    longest = max((len(text) for text in shown(page)), default=0)
    assert longest <= _MOST_CHARACTERS


def shown(page: AppTest) -> list[str]:
    """Every text of a page, also in cells and in choices."""
    cells = [
        str(cell) for frame in tables(page) for column in frame for cell in (column, *frame[column])
    ]
    choices = [
        str(option)
        for kind in (page.selectbox, page.multiselect, page.radio)
        for widget in kind
        for option in widget.options
    ]
    return [*cells, *choices, *plain(page).split("\n"), *rendered(page).split("\n")]
