"""The page Replay and compare shows what `compare` computes, and computes what is not kept."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from data.background.process import RUNNING
from data.errors import RunError
from data.store import STORE_VARIABLE, Store
from replay.comparing.background import last_comparison
from replay.comparing.kept_comparison import Asked, comparisons_folder
from replay.comparing.loaded_answers import TRAINED_ON
from replay.comparing.with_another_run import compare_with_another_run
from replay.comparing.with_miners import compare_with_miners
from tests.conftest import GOLDEN
from tests.dashboards.conftest import change, keep_comparison
from tests.dashboards.page import HOSTILE, charts, plain, rendered, table, tables, the_page
from tests.worlds.waiting import wait_for

START = "dashboards.parts.comparison_access.start_comparison"


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def test_a_store_without_a_run_names_the_commands(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = the_page("comparison")

    assert not page.exception
    assert "streetreplay replay --model hf:OWNER/NAME" in plain(page)


def test_a_store_that_does_not_exist_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("comparison")
    assert not page.exception
    assert "make demo" in plain(page)


def test_miners_are_those_of_compare(store: Store) -> None:
    with reading(store) as connection:
        compared = compare_with_miners(connection, "replay-a")
    page = the_page("comparison")
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
    page = the_page("comparison")
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
    keep_comparison(store)
    page = the_page("comparison")

    page.slider[0].set_value(2).run()

    assert not page.exception
    assert "No miner is left" in rendered(page)


def test_what_the_candidate_was_trained_on_is_left_out_and_counted(store: Store) -> None:
    assert "Not checked whether the candidate was trained" in rendered(the_page("comparison"))
    with reading(store) as connection:
        [(parquet, row)] = connection.execute(
            "SELECT parquet, row FROM media WHERE aug_level < 2 ORDER BY challenge_id LIMIT 1"
        ).fetchall()
    kept = store.runs / "replay-a" / "training_rows.parquet"
    pl.DataFrame({"parquet": [parquet], "row": [row]}).write_parquet(kept)
    expected = keep_comparison(store)
    page = the_page("comparison")
    assert "own 1 training rows" in rendered(page)
    assert f"{expected.left_out[TRAINED_ON]} × {TRAINED_ON}" in plain(page)


def test_metadata_fed_run_is_marked(store: Store) -> None:
    page = the_page("comparison", run="replay-fed")

    assert not page.exception
    assert "With metadata" in page.warning[0].value
    assert "Image-only" not in rendered(page)


def test_slices_are_those_of_compare_and_chosen_by_the_link(store: Store) -> None:
    compared = keep_comparison(store)
    shown = table(the_page("comparison"), "Reward cost")
    assert list(shown["Reward cost"]) == [part.cost for part in compared.slices]
    page = the_page("comparison", slices_by="level")
    levels = table(page, "Reward cost")
    assert set(levels["Field"]) == {"level"}
    expected = {part.value: part.accuracy for part in compared.slices if part.field == "level"}
    assert dict(zip(levels["Value"], levels["Accuracy"], strict=True)) == expected


def test_ranks_and_calibration_are_those_of_compare(store: Store) -> None:
    compared = keep_comparison(store)
    page = the_page("comparison")
    ranks = table(page, "Worst")
    assert list(ranks["Rank"]) == [rank.rank for rank in compared.ranks.values()]
    bins = table(page, "Roadwork")
    assert list(bins["n"]) == [one.n for one in compared.calibration.bins]
    assert charts(page) >= 4


# scikit-learn warns of sets with one class, where MCC is 0
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_against_another_run(store: Store) -> None:
    change(
        store,
        "UPDATE replay_predictions SET probability = 1 - probability, "
        "positive_share = 1 - positive_share WHERE run_id = 'replay-fed' "
        "AND substr(challenge_id, 1, 1) < '8'",
    )
    keep_comparison(store, other="replay-fed")
    page = the_page("comparison", against="replay-fed", run="replay-a")
    row = table(page, "This run")
    with reading(store) as connection:
        against = compare_with_another_run(connection, "replay-a", "replay-fed")
        answers = connection.execute(
            "SELECT label, probability FROM media JOIN replay_predictions USING (challenge_id) "
            "WHERE replay_predictions.run_id = 'replay-fed' AND probability IS NOT NULL"
        ).fetchall()
    assert dict(zip(row["Statistic"], row["Difference"], strict=True)) == {
        name: against.differences[key].value
        for key, name in (("mcc", "MCC"), ("accuracy", "Accuracy"), ("auc", "AUC"))
    }
    labels, probabilities = zip(*answers, strict=True)
    oracle = matthews_corrcoef(labels, [probability > 0.5 for probability in probabilities])
    assert row["Other"][0] == pytest.approx(oracle)
    assert f"on {against.n:,} challenges" in rendered(page)


def test_what_is_not_kept_is_computed_beside_the_page(store: Store) -> None:
    shutil.rmtree(comparisons_folder(store, "replay-a"))
    page = the_page("comparison")
    assert not page.exception
    assert "Comparing with every miner" in rendered(page)
    asked = Asked("replay-a").with_slices
    process = last_comparison(store, asked)
    assert process is not None
    wait_for(lambda: process.state not in RUNNING)
    page.run()
    assert "on all that the store holds now" in rendered(page)
    assert len(table(page, "Reward cost"))


def test_an_older_comparison_is_shown_and_said_to_be_old(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[object] = []

    def refuse(*arguments: object) -> None:
        refused.append(arguments)
        raise RunError("start", found="no room", expected="room")

    monkeypatch.setattr(START, refuse)
    ingest(store, [GOLDEN / "real" / "media_record.json"])
    page = the_page("comparison")
    assert not page.exception
    assert "Out of date" in rendered(page)
    assert "found no room" in plain(page)
    assert len(table(page, "n used"))
    page.run()
    assert len(refused) == 1  # not again and again
    next(button for button in page.button if button.label == "Try again").click().run()
    assert len(refused) == 2


def test_a_comparison_that_fails_says_why(store: Store) -> None:
    change(store, "UPDATE replay_predictions SET probability = NULL, reason = 'shard missing'")
    shutil.rmtree(comparisons_folder(store, "replay-a"))
    page = the_page("comparison")
    process = last_comparison(store, Asked("replay-a").with_slices)
    assert process is not None
    wait_for(lambda: process.state not in RUNNING)
    page.run()
    assert not page.exception
    assert "found 0 answers of miners to its 0 predicted challenges" in plain(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    keep_comparison(store)

    page = the_page("comparison")

    assert not page.exception
    assert "script" not in rendered(page)
    assert any("script" in str(frame.to_dict()) for frame in tables(page))
