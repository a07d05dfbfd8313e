"""The My miner page on empty, damaged, small and hostile stores."""

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analytics.ingest.ingest import ingest
from analytics.miners.answers import Miner
from analytics.warehouse.connection import reading
from dashboards.miners.choice import challenge_link, miner_text
from data.store import STORE_VARIABLE, Store
from replay.comparing.with_miners import compare_with_miners
from tests.dashboards.conftest import change, keep_miners
from tests.dashboards.page import HOSTILE, charts, metric, plain, rendered, table, tables, the_page
from tests.worlds.audit_logs import write_lines
from tests.worlds.simulated_logs import simulated_log


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def most_asked(store: Store) -> Miner:
    with reading(store) as connection:
        [(uid, hotkey)] = connection.execute(
            "SELECT uid, hotkey FROM responses GROUP BY ALL ORDER BY count(*) DESC, uid LIMIT 1"
        ).fetchall()
    return Miner(uid, hotkey)


def choose(page: AppTest, text: str) -> AppTest:
    return page.text_input(key="miner_typed").set_value(text).run()


def kept(store: Store) -> str:
    return str(json.loads((store.root / "settings" / "my-miner.json").read_text())["miner"])


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("my_miner")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_a_torn_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])
    page = the_page("my_miner")
    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in plain(page)


def test_a_store_without_an_answer_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM responses")
    page = the_page("my_miner")
    assert not page.exception
    assert "streetreplay ingest LOG" in plain(page)


def test_a_store_without_a_replay_shows_the_rest(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")
    page = the_page("my_miner")
    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)
    assert "No clone" in rendered(page)
    assert set(table(page, "Candidate is")["Candidate is"]) == {"not asked"}


def test_numbers_are_those_of_the_log_and_of_compare(store: Store) -> None:
    miner = most_asked(store)
    page = the_page("my_miner", miner=miner_text(miner))
    with reading(store) as connection:
        [(asked, silent, reward)] = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE prediction = -1), avg(reward) FROM responses "
            "WHERE uid = ? AND hotkey = ?",
            [miner.uid, miner.hotkey],
        ).fetchall()
        compared = compare_with_miners(connection, "replay-a")
    found = next(one for one in compared.miners if one.uid == miner.uid)

    assert not page.exception
    assert not page.error
    assert f"uid {miner.uid}, hotkey {miner.hotkey}" in plain(page)
    assert f"of {asked} answers are left out: {silent} silent" in rendered(page)
    assert metric(page, "Mean reward") == f"{reward:.3f}"
    rows = table(page, "This miner").set_index("Statistic")
    assert rows.loc["Mean reward", "This miner"] == found.score.reward
    assert rows.loc["MCC", "Candidate"] == found.candidate.mcc
    assert rows.loc["MCC", "Difference"] == found.differences["mcc"].value
    assert found.mcnemar is not None
    assert f"Only the candidate is right on **{found.mcnemar.candidate_only}**" in rendered(page)
    assert charts(page) == 5


def test_lost_challenges_are_listed_filtered_and_linked(store: Store) -> None:
    miner = most_asked(store)
    change(
        store,
        f"UPDATE responses SET prediction = -1 FROM media WHERE uid = {miner.uid} AND "  # noqa: S608
        "responses.challenge_id = media.challenge_id AND position % 4 = 0",
    )
    page = the_page("my_miner", miner=str(miner.uid))
    lost = table(page, "Why lost")
    assert list(lost["Open"]) == [challenge_link(one) for one in lost["Challenge"]]
    silent = (lost["Why lost"] == "silent").sum()
    assert 0 < silent < len(lost) or set(lost["Why lost"]) == {"silent"}

    page.selectbox(key="lost_choice").set_value("silent").run()
    assert not page.exception
    assert set(table(page, "Why lost")["Why lost"]) == {"silent"}
    assert len(table(page, "Why lost")) == silent
    page.number_input(key="lost_page").set_value(9).run()
    assert not page.exception
    assert "There is no page 9" in rendered(page)


def test_a_choice_is_kept_and_a_link_wins_over_it(store: Store) -> None:
    page = the_page("my_miner")
    assert "No miner was chosen yet" in plain(page)
    box = page.selectbox(key="miner_choice")
    first, second = [label for label in box.options if label != box.value][-2:]
    box.set_value(first).run()
    assert not page.exception
    assert f"{first.split(' ·')[0]}, hotkey" in plain(page)
    assert page.query_params["miner"] == kept(store)

    again = the_page("my_miner")
    assert f"{first.split(' ·')[0]}, hotkey" in plain(again)
    assert "No miner was chosen yet" not in plain(again)
    assert again.query_params["miner"] == kept(store)
    linked = the_page("my_miner", miner=second.split(" ")[1])
    assert f"{second.split(' ·')[0]}, hotkey" in plain(linked)
    assert kept(store).split(":")[0] == first.split(" ")[1]


def test_a_typed_hotkey_finds_its_miner_and_a_wrong_one_says_so(store: Store) -> None:
    miner = most_asked(store)
    page = choose(the_page("my_miner"), miner.hotkey[:12])
    assert f"hotkey {miner.hotkey}" in plain(page)
    assert kept(store) == miner_text(miner)

    choose(page, "nobody's hotkey")
    assert not page.exception
    assert "No miner nobody's hotkey in this store" in plain(page)
    assert kept(store) == miner_text(miner)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 70_000, b"\xff", b'{"miner": [3]}'])
def test_a_damaged_settings_file_is_ignored_and_replaced(store: Store, content: bytes) -> None:
    file = store.root / "settings" / "my-miner.json"
    file.parent.mkdir()
    file.write_bytes(content)
    miner = most_asked(store)
    page = the_page("my_miner")
    assert not page.exception
    assert "was ignored" in plain(page)
    choose(page, miner_text(miner))
    assert kept(store) == miner_text(miner)


def test_settings_that_cannot_be_written_hinder_nothing(store: Store) -> None:
    (store.root / "settings").write_text("a file in place of the folder")
    miner = most_asked(store)
    page = choose(the_page("my_miner"), miner_text(miner))
    assert not page.exception
    assert f"hotkey {miner.hotkey}" in plain(page)


def test_a_replaced_hotkey_is_marked(store: Store) -> None:
    miner = most_asked(store)
    change(
        store,
        f"UPDATE responses SET hotkey = 'replacement' FROM media WHERE uid = {miner.uid} AND "  # noqa: S608
        "responses.challenge_id = media.challenge_id AND position >= 30",
    )
    page = the_page("my_miner", miner=str(miner.uid))
    assert "hotkey replacement" in plain(page)
    assert "The uid's hotkey changed once" in rendered(page)
    before = the_page("my_miner", miner=miner_text(miner))
    assert "no longer holds the uid" in rendered(before)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    for column in ("media.city", "media.source", "responses.hotkey", "replay_runs.model"):
        relation, name = column.split(".")
        change(store, f"UPDATE {relation} SET {name} = '{HOSTILE}'")  # noqa: S608
    change(store, "UPDATE media SET aug_level = 9")
    keep_miners(store)
    page = the_page("my_miner")
    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in plain(page)


def test_a_new_log_is_seen_at_the_next_click(store: Store) -> None:
    miner = most_asked(store)
    page = the_page("my_miner", miner=miner_text(miner))
    before = metric(page, "Mean reward")
    change(store, "UPDATE responses SET reward = 0.125")
    page.run()
    assert metric(page, "Mean reward") == "0.125" != before


def test_points_have_a_table(store: Store) -> None:
    miner = most_asked(store)
    shown: pd.DataFrame = table(the_page("my_miner", miner=str(miner.uid)), "median_ema")
    assert set(shown["whole hotkey"]) == {miner.hotkey}
    assert list(shown["answer"]) == sorted(shown["answer"])


def test_two_validators_logs_are_chosen_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "two")
    for seed in (1, 2):
        records = simulated_log(seed, "E7", 60, uids=30, validators=4)
        ingest(store, [write_lines(tmp_path / f"log{seed}.jsonl", records)])
    keep_miners(store)
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    miner = most_asked(store)
    page = the_page("my_miner", miner=miner_text(miner))
    assert not page.exception
    box = page.selectbox(key="validator_choice")
    assert len(box.options) == 3
    asked = []
    for number in (1, 2):
        page = the_page("my_miner", miner=miner_text(miner), validator=f"life-{number}")
        assert not page.exception
        if "asked the miner nothing" in rendered(page):
            continue
        asked.append(len(table(page, "median_ema")))
        assert f"are of the log of validator life-{number}" in plain(page)
    assert asked
    with reading(store) as connection:
        [(answers,)] = connection.execute(
            "SELECT count(*) FROM responses WHERE uid = ? AND hotkey = ?",
            [miner.uid, miner.hotkey],
        ).fetchall()
    assert sum(asked) >= answers


def test_of_all_logs_the_one_that_asked_the_chosen_hotkey_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "two")
    for seed in (1, 2):
        records = simulated_log(seed, "E7", 60, uids=30, validators=4)
        for record in records:
            record["miner_hotkeys"] = [f"5Of{seed}x{uid}" for uid in record["miner_uids"]]
        ingest(store, [write_lines(tmp_path / f"log{seed}.jsonl", records)])
    keep_miners(store)
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    shown = set()
    for seed in (1, 2):
        page = the_page("my_miner", miner=f"3:5Of{seed}x3")
        assert not page.exception
        assert f"hotkey 5Of{seed}x3" in plain(page)
        assert "The log holds no score" not in rendered(page)
        assert metric(page, "EMA now") != "–"
        assert set(table(page, "median_ema")["whole hotkey"]) == {f"5Of{seed}x3"}
        shown.add(plain(page).partition("are of the log of validator ")[2][:6])
    assert shown == {"life-1", "life-2"}


def test_a_hotkey_of_megabytes_is_cut(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")  # else a comparison would be started
    change(store, "UPDATE responses SET uid = 7, hotkey = repeat('x', 1_000_000) WHERE slot = 0")
    page = the_page("my_miner", miner="7:xxxx")
    assert not page.exception
    assert "xxx" in plain(page)
    sent = [frame.memory_usage(deep=True).sum() for frame in tables(page)]
    assert sum(sent) < 1_000_000
    assert len(plain(page)) + len(rendered(page)) < 20_000
