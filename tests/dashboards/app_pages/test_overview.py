"""The Overview page on empty, damaged, small and hostile stores."""

from pathlib import Path

import polars as pl
import pytest
import streamlit as st

from analytics.leaks.training_rows import read_training_rows
from analytics.warehouse.connection import reading
from analytics.warehouse.ingest import ingest
from data.store import STORE_VARIABLE, Store
from replay.comparing.loaded_answers import TRAINED_ON
from replay.comparing.with_miners import compare_with_miners
from tests.conftest import GOLDEN, ROOT
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, metric, plain, rendered, table, tables, the_page


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def test_store_that_does_not_exist_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))

    page = the_page("overview")

    assert not page.exception
    assert "make demo" in plain(page)
    assert "streetreplay ingest LOG" in plain(page)
    assert not (tmp_path / "none").exists()


def test_an_error_of_a_damaged_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])

    page = the_page("overview")

    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in page.code[0].value
    assert "\n" not in page.code[0].value


def test_store_without_a_run_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = the_page("overview")

    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)


def test_every_count_table_holds_all_challenges(store: Store) -> None:
    change(store, "UPDATE media SET aug_level = -1, geometry = 'none' WHERE position = 3")

    counts = [frame for frame in tables(the_page("overview")) if "challenges" in frame]

    assert len(counts) == 4
    assert [frame["challenges"].sum() for frame in counts] == [60] * 4


def test_miners_are_those_of_compare(store: Store) -> None:
    with reading(store) as connection:
        compared = compare_with_miners(connection, "replay-a")
    page = the_page("overview")
    page.slider[0].set_value(1).run()

    used = table(page, "n used")

    assert not page.exception
    assert list(used["Uid"]) == [miner.uid for miner in compared.miners]
    assert list(used["MCC"]) == [miner.score.mcc for miner in compared.miners]
    assert list(used["n left out"]) == [sum(m.left_out.values()) for m in compared.miners]
    assert "Image-only" in rendered(page)
    assert f"{compared.left_out['shard missing']} × shard missing" in plain(page)


def test_miners_with_few_shared_answers_are_hidden_and_counted(store: Store) -> None:
    with reading(store) as connection:
        shared = [miner.score.n for miner in compare_with_miners(connection, "replay-a").miners]
    page = the_page("overview")
    for minimum in (4, max(shared)):
        page.slider[0].set_value(minimum).run()
        enough = sum(n >= minimum for n in shared)

        assert not page.exception
        assert len(table(page, "n used")) == enough
        assert f"{len(shared) - enough} hidden with fewer than {minimum}" in rendered(page)


def test_no_miner_left_is_said(store: Store) -> None:
    change(
        store,
        "DELETE FROM replay_predictions WHERE challenge_id != (SELECT min(challenge_id) "
        "FROM replay_predictions WHERE probability IS NOT NULL)",
    )
    page = the_page("overview")

    page.slider[0].set_value(2).run()

    assert not page.exception
    assert "No miner is left" in rendered(page)


def test_no_shared_challenge_is_said(store: Store) -> None:
    change(store, "UPDATE replay_predictions SET probability = NULL, reason = 'shard missing'")

    page = the_page("overview")

    assert not page.exception
    assert "found 0 answers of miners to its 0 predicted challenges (60 more" in plain(page)


def test_what_the_candidate_was_trained_on_is_left_out_and_counted(store: Store) -> None:
    assert "Not checked whether the candidate was trained" in rendered(the_page("overview"))
    with reading(store) as connection:
        [(parquet, row)] = connection.execute(
            "SELECT parquet, row FROM media WHERE aug_level < 2 ORDER BY challenge_id LIMIT 1"
        ).fetchall()
    kept = store.runs / "replay-a" / "training_rows.parquet"
    kept.parent.mkdir(parents=True)
    pl.DataFrame({"parquet": [parquet], "row": [row]}).write_parquet(kept)
    with reading(store) as connection:
        expected = compare_with_miners(connection, "replay-a", training=read_training_rows(kept))
    st.cache_data.clear()
    page = the_page("overview")
    assert "own 1 training rows" in rendered(page)
    assert f"{expected.left_out[TRAINED_ON]} × {TRAINED_ON}" in plain(page)


def test_metadata_fed_run_is_marked(store: Store) -> None:
    page = the_page("overview")
    page.selectbox[0].set_value("replay-fed").run()

    assert not page.exception
    assert "With metadata" in page.warning[0].value
    assert "Image-only" not in rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    change(store, "UPDATE responses SET prediction = 1e300 WHERE slot = 0")

    page = the_page("overview")

    assert not page.exception
    assert "script" not in rendered(page)


def test_new_logs_are_seen_at_the_next_click(store: Store) -> None:
    page = the_page("overview")
    assert metric(page, "Challenges") == "60"

    ingest(store, [GOLDEN / "real" / "media_record.json"])
    page.run()

    assert metric(page, "Challenges") == "61"
    assert not page.exception


def test_pages_hold_neither_sql_nor_torch_nor_html() -> None:
    for module in (ROOT / "dashboards").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        for forbidden in ("SELECT ", "import torch", "unsafe_allow_html", ".groupby("):
            assert forbidden not in text, module.name
