"""The Miners page on empty, damaged, small and hostile stores."""

from pathlib import Path

import pytest

from analytics.miners.answers import Miner
from analytics.warehouse.connection import reading
from dashboards.miners.choice import miner_link
from data.store import STORE_VARIABLE, Store
from replay.comparing.with_miners import compare_with_miners
from tests.dashboards.conftest import change, keep_miners
from tests.dashboards.page import HOSTILE, charts, plain, rendered, table, tables, the_page


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("miners")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_a_torn_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])
    page = the_page("miners")
    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in plain(page)


def test_a_store_without_an_answer_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM responses")
    page = the_page("miners")
    assert not page.exception
    assert "streetreplay ingest LOG" in plain(page)


def test_every_miner_is_there_and_links_to_its_page(store: Store) -> None:
    page = the_page("miners", least="1")
    with reading(store) as connection:
        asked = connection.execute(
            "SELECT uid, hotkey, avg(reward), count(*) FILTER (WHERE prediction <> -1) AS n "
            "FROM responses GROUP BY ALL HAVING n > 0 ORDER BY ALL"
        ).fetchall()
    assert not page.exception
    assert not page.error
    shown = table(page, "Answer rate").sort_values(["Uid", "Whole hotkey"])
    assert len(shown) > 20
    assert list(shown["Page"]) == [miner_link(Miner(uid, hotkey)) for uid, hotkey, _, _ in asked]
    assert list(shown["Mean reward"]) == pytest.approx([reward for _, _, reward, _ in asked])
    assert list(shown["n"]) == [n for _, _, _, n in asked]
    assert charts(page) == 1


def test_an_mcc_of_0_is_the_best_where_all_others_are_below(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")
    change(store, "UPDATE responses SET uid = slot, hotkey = 'hotkey-' || slot")
    change(
        store,
        "UPDATE responses SET prediction = CASE WHEN uid = 7 THEN 1 ELSE 1 - label END FROM media "
        "WHERE responses.challenge_id = media.challenge_id",
    )
    page = the_page("miners", least="1")
    assert not page.exception
    assert "The best is **uid 7** with an MCC of **0.00**" in rendered(page)


def test_tests_beside_the_candidate_are_those_of_compare(store: Store) -> None:
    page = the_page("miners", least="1")
    with reading(store) as connection:
        compared = compare_with_miners(connection, "replay-a")
    shown = table(page, "p (Holm)").set_index("Page")
    for one in compared.miners:
        link = miner_link(Miner(one.uid, one.hotkey))
        if one.mcnemar is None or link not in shown.index:
            continue
        row = shown.loc[link]
        assert row["p"] == one.mcnemar.p
        assert row["p (Holm)"] == one.mcnemar.holm_p
        assert row["Difference"] == one.differences["mcc"].value
    assert f"Holm over all {sum(one.mcnemar is not None for one in compared.miners)} miners" in (
        rendered(page)
    )


def test_filters_are_in_the_link_and_hide_rows(store: Store) -> None:
    whole = table(the_page("miners", least="1"), "Answer rate")
    hotkey = whole["Whole hotkey"][5]
    page = the_page("miners", least="1", find=hotkey[:10])
    assert list(table(page, "Answer rate")["Whole hotkey"]) == [hotkey]
    assert list(table(page, "Answer rate")["Rank"]) == [whole["Rank"][5]]
    page.text_input(key="find").set_value("no such hotkey").run()
    assert not page.exception
    assert "No miner matches these filters" in rendered(page)


def test_a_store_without_a_replay_shows_the_rest(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")
    page = the_page("miners")
    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)
    assert "Clone groups" in rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    change(store, f"UPDATE responses SET hotkey = '{HOSTILE}' WHERE slot < 5")  # noqa: S608
    change(store, f"UPDATE replay_runs SET model = '{HOSTILE}'")  # noqa: S608
    keep_miners(store)
    page = the_page("miners", least="1")
    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in set(table(page, "Whole hotkey")["Whole hotkey"])


def test_a_hotkey_of_megabytes_is_cut(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")  # else a comparison would be started
    change(store, "UPDATE responses SET uid = 7, hotkey = repeat('x', 1_000_000) WHERE slot = 0")
    page = the_page("miners", least="1")
    assert not page.exception
    assert "xxx" in "".join(table(page, "Whole hotkey")["Whole hotkey"])
    sent = [frame.memory_usage(deep=True).sum() for frame in tables(page)]
    assert sum(sent) < 1_000_000
    assert len(plain(page)) + len(rendered(page)) < 20_000
