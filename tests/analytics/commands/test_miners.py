"""The commands `miners` and `leaks`, and what the warehouse says of habits and hotkeys."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from analytics.commands.miners import app
from analytics.ingest.ingest import ingest
from analytics.miners.answers import miner_answers, stage
from analytics.miners.habits import answer_habits, tenures
from analytics.miners.report import miner_report
from analytics.standings.together import kept_together
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError, StoreError
from data.store import Store
from tests.conftest import golden_records

Answer = tuple[int, str, float | None]


def fill(store: Store, challenges: list[list[Answer]], labels: list[int] | None = None) -> None:
    """Challenges, a minute apart but read in reverse, with their answers in order of slot."""
    with writing(store) as writer:
        for number, answers in reversed(list(enumerate(challenges))):
            writer.connection.execute(
                "INSERT INTO media BY NAME SELECT ? AS challenge_id, 'f' AS file, ? AS position, "
                "TIMESTAMP '2026-01-01' + to_minutes(?) AS time, 'E8' AS era, "
                "['E8'] AS era_candidates, ? AS label, 'a.parquet' AS parquet, ? AS row, "
                "false AS flip_horizontal, false AS flip_vertical",
                [f"c{number}", 99 - number, number, labels[number] if labels else 1, number % 2],
            )
            writer.connection.executemany(
                "INSERT INTO responses BY NAME SELECT ? AS challenge_id, ? AS slot, ? AS uid, "
                "? AS hotkey, ? AS prediction",
                [(f"c{number}", slot, *answer) for slot, answer in enumerate(answers)],
            )


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.fixture
def logged(store: Store, golden: Path) -> Store:
    ingest(store, [golden / era / "challenges.jsonl" for era in ("e7", "e9")])
    return store


def test_habits_agree_with_the_records(logged: Store, golden: Path) -> None:
    records = golden_records(golden, "e7") + golden_records(golden, "e9")
    answers = [
        (uid, hotkey, prediction)
        for record in records
        for uid, hotkey, prediction in zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
    ]
    with reading(logged) as connection:
        stage(connection)
        found = {(one.uid, one.hotkey): one for one in answer_habits(connection)}

    asked = Counter((uid, hotkey) for uid, hotkey, _ in answers)
    silent = Counter((uid, hotkey) for uid, hotkey, p in answers if p == -1)
    outside = Counter((u, h) for u, h, p in answers if p != -1 and not 0 <= p <= 1)
    assert {miner: one.asked for miner, one in found.items()} == asked
    assert Counter({miner: one.silent for miner, one in found.items()}) == silent
    assert Counter({miner: one.out_of_range for miner, one in found.items()}) == outside
    assert sum(outside.values()) > 0
    assert {one.hard for one in found.values()} == {False, True}


def test_habits_of_every_kind_and_their_intervals(store: Store) -> None:
    mixed: list[Answer] = [(1, "a", p) for p in (0.0, 1.0, 0.5, -1.0, None, 1.7, -0.2, 0.5)]
    silent: list[Answer] = [*[(2, "b", -1.0)] * 19, (2, "b", 1.0)]
    hard: list[Answer] = [(3, "c", float(n % 2)) for n in range(20)]
    fill(store, [mixed, silent, hard])
    with reading(store) as connection:
        stage(connection)
        one, two, three = answer_habits(connection)

    assert (one.asked, one.silent, one.not_finite, one.out_of_range) == (8, 1, 1, 2)
    assert (one.zero_or_one, one.half, one.distinct_answers, one.in_range) == (2, 2, 3, 4)
    assert one.silent_interval[0] < 1 / 8 < one.silent_interval[1]
    assert (two.mostly_silent, two.hard) == (True, False)
    assert (three.mostly_silent, three.hard, three.distinct_answers) == (False, True, 2)


def test_a_hotkey_that_comes_back_has_two_spells(store: Store) -> None:
    hotkeys = ["a", "a", "b", "a"]
    fill(store, [[(7, hotkey, 0.9)] for hotkey in hotkeys])
    with reading(store) as connection:
        found = tenures(connection, stage(connection))

    assert [(one.uid, one.hotkey, one.asked) for one in found] == [
        *((7, "a", 2), (7, "b", 1), (7, "a", 1))
    ]
    assert all(one.first_time and one.last_time for one in found)
    times = [one.first_time for one in found if one.first_time]
    assert times == sorted(times)


def test_answers_come_in_order_of_time_one_a_miner_and_challenge(store: Store) -> None:
    fill(store, [[(7, "a", 0.1), (7, "a", 0.9), (3, "b", -1.0), (4, "c", None)], [(3, "b", 1.7)]])
    with reading(store) as connection:
        report = miner_report(connection)
        answers = miner_answers(connection)

    assert answers.challenges["challenge_id"].to_list() == ["c0", "c1"]
    assert answers.prediction.tolist() == [0.1, 1.7]
    assert [answers.miners[at].uid for at in answers.miner] == [7, 3]
    assert answers.right.tolist() == [False, False]
    counts = report.counts
    assert (counts.asked, counts.used, counts.silent) == (5, 2, 1)
    assert (counts.not_finite, counts.asked_again) == (1, 1)


def test_miners_prints_json_of_every_part(logged: Store, tmp_path: Path) -> None:
    out = tmp_path / "hard.parquet"
    result = run("miners", "--store", str(logged.root), "--json", "--difficulties", str(out))
    found = json.loads(result.stdout)

    assert found["counts"]["challenges"] == 460
    assert len(found["model"]["abilities"]) == found["counts"]["miners"]
    assert found["model"]["settings"]["ability_spread"] == 2.0
    assert {"groups", "settings", "pairs_tested", "pairs_left_out"} <= found["clones"].keys()
    assert {"tests", "left_out"} <= found["memorisation"].keys()
    assert {"suspected", "images_tested", "images_left_out"} <= found["wrong_labels"].keys()
    difficulties = pl.read_parquet(out)
    assert difficulties.height == 460
    assert difficulties["difficulty_error"].min() > 0  # type: ignore[operator]
    hardest = found["model"]["hardest"][0]
    assert hardest["difficulty"] == difficulties["difficulty"].max()


def test_miners_prints_tables_for_a_person(logged: Store) -> None:
    result = run("miners", "--store", str(logged.root))

    assert result.exit_code == 0
    for words in ("abilities", "prior", "pairs tested", "memorised images", "hard 0/1", "left out"):
        assert words in result.stdout


def test_a_report_on_every_validator_is_kept(logged: Store) -> None:
    run("miners", "--store", str(logged.root), "--validator", "life-1")
    assert kept_together(logged) is None
    result = run("miners", "--store", str(logged.root), "--json")
    kept, printed = kept_together(logged), json.loads(result.stdout)
    assert kept is not None
    assert len(kept.abilities) == len(printed["model"]["abilities"])
    assert kept.clones.pairs_tested == printed["clones"]["pairs_tested"]


def test_one_miner_is_reported_without_a_model(store: Store) -> None:
    fill(store, [[(7, "a", 0.9)], [(7, "a", 0.2)]])
    result = run("miners", "--store", str(store.root))

    assert "no abilities" in result.stdout
    assert "found 1 miners with an answer" in result.stdout
    report = json.loads(run("miners", "--store", str(store.root), "--json").stdout)
    assert (report["model"], report["wrong_labels"]) == (None, None)
    assert report["clones"]["pairs_tested"] == 0


def test_silence_everywhere_is_reported(store: Store) -> None:
    fill(store, [[(7, "a", -1.0), (8, "b", None)]])
    result = run("miners", "--store", str(store.root))

    assert "0 answers of 2 asked" in result.stdout


def test_leaks_prints_the_leak_and_the_overlap(logged: Store, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("parquet,row\ntrain-00007-of-00026.parquet,3\n", encoding="utf-8")
    arguments = ("leaks", "--store", str(logged.root), "--trained-on", str(rows))
    found = json.loads(run(*arguments, "--json").stdout)
    shown = run(*arguments).stdout

    with reading(logged) as connection:
        [(expected,)] = connection.execute(
            "SELECT count(*) FROM media WHERE row = 3 AND parquet LIKE 'train-00007%'"
        ).fetchall()
    assert found["overlap"]["by_row"] == expected > 0
    assert len(found["overlap"]["overlapping_challenges"]) == found["overlap"]["overlapping"]
    assert "scene_description" in shown
    assert f"{found['overlap']['overlapping']} of 460 challenges overlap" in shown


def test_leaks_says_where_there_is_one_label_only(store: Store) -> None:
    fill(store, [[(7, "a", 0.9)], [(7, "a", 0.2)]], labels=[1, 1])
    result = CliRunner().invoke(app, ["leaks", "--store", str(store.root)])

    assert "one label only" in result.stderr


def test_an_empty_store_is_one_line(store: Store) -> None:
    for command in ("miners", "leaks"):
        with pytest.raises(StoreError, match="no warehouse"):
            run(command, "--store", str(store.root))
    with writing(store):
        pass
    with pytest.raises(QueryError, match=r"no answer.*ingest"):
        run("miners", "--store", str(store.root))
    with pytest.raises(QueryError, match=r"no challenge.*ingest"):
        run("leaks", "--store", str(store.root))


def test_difficulties_go_to_a_known_kind_of_file_only(logged: Store) -> None:
    result = run("miners", "--store", str(logged.root), "--difficulties", "x.txt")

    assert result.exit_code == 2
    assert not Path("x.txt").exists()
