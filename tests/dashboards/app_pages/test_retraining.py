"""The Retraining page on empty, full, damaged and hostile stores, and what can be done on it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.warehouse.connection import reading
from dashboards.retraining.answer import decision_sentence
from data.background.process import RUNNING, State
from data.sources.shards import Shards
from data.store import STORE_VARIABLE, Store
from model.champion.promotions import read_promotions
from model.champion.succession import gate
from model.retraining.background import last_retraining
from model.retraining.decide import judged_drifts
from model.retraining.decision_now import decision_now
from model.rows.source_rows import list_rows
from model.weighting.gather import gather
from model.weighting.policy import DifficultyPolicy, WeightPolicy
from model.weighting.sample_weights import weigh
from tests.conftest import ROOT
from tests.dashboards.page import plain, press, rendered, table, the_page
from tests.dashboards.retraining.deployed_world import answer, deploy, logged
from tests.dashboards.retraining.sleeping_command import HOSTILE
from tests.dashboards.retraining.started import state
from tests.model.champion.checkpoints import (
    GATE,
    a_checkpoint,
    bad_evidence,
    good_evidence,
    present,
)
from tests.worlds.waiting import wait_for


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store whose champion answered the log; no test changes it."""
    store = logged(tmp_path_factory.mktemp("answered"))
    deploy(store)
    answer(store)
    return store


@pytest.fixture
def store(answered: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A copy of it, which the page shows; what the page started in it is killed."""
    store = Store(tmp_path / "store")
    shutil.copytree(answered.root, store.root)
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    monkeypatch.setattr(
        "model.retraining.background._MODULE", "tests.dashboards.retraining.sleeping_command"
    )
    yield store
    last = last_retraining(store)
    if last is not None and last.process.state in RUNNING:
        last.process.stop()
        wait_for(lambda: last.process.state not in RUNNING)


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("retraining")
    assert not page.exception
    assert "streetreplay ingest LOG" in plain(page)


def test_store_without_a_champion_names_the_command(store: Store) -> None:
    shutil.rmtree(store.models)
    page = the_page("retraining")
    assert not page.exception
    assert "Nothing is deployed yet" in rendered(page)
    assert "streetreplay champion set FOLDER" in plain(page)


def test_champion_that_never_answered_names_the_command(store: Store) -> None:
    deploy(store, "second", 2)
    page = the_page("retraining")
    assert not page.exception
    assert "`streetreplay retrain --dry-run`" in plain(page)
    assert "Deployed: second" in plain(page)


def test_the_answer_is_that_of_the_decision(store: Store) -> None:
    with reading(store) as connection:
        decided = decision_now(connection, store, list_rows(Shards(store.sources)).rows)
    page = the_page("retraining")

    assert not page.exception
    assert page.subheader[0].value == decision_sentence(decided)
    drifts = judged_drifts(decided.evidence)
    assert drifts
    shown = table(page, "Beyond chance")
    assert list(shown["What"]) == [one.name for one in drifts]
    assert list(shown["Drift"]) == [one.drift.size for one in drifts]
    assert list(shown["n after"]) == [one.drift.after for one in drifts]
    assert len(page.get("arrow_vega_lite_chart")) + len(page.get("vega_lite_chart")) == 2


def test_why_it_failed_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.retraining.background._MODULE", "no_such_module")
    page = press(the_page("retraining"), "start_retraining")
    wait_for(lambda: state(store) is State.FAILED)
    page.run()
    assert not page.exception
    assert "No module named no_such_module" in plain(page)
    assert "failed" in plain(page)


def test_no_torch_is_imported(store: Store) -> None:
    program = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('dashboards/navigation.py', default_timeout=300)\n"
        "page = app.switch_page('app_pages/retraining.py').run()\n"
        "assert not page.exception and 'retraining is due' in page.subheader[0].value\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'transformers')))"
    )
    assert store.warehouse.is_file()
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_start_reload_stop_and_resume(store: Store) -> None:
    page = press(the_page("retraining"), "start_retraining")
    assert not page.exception
    assert page.subheader[0].value.startswith("Running: step decide")

    reloaded = the_page("retraining")  # another session, or the same after a restart of the server
    assert reloaded.subheader[0].value.startswith("Running: step decide")
    assert not [button for button in reloaded.button if button.key == "start_retraining"]
    wait_for(lambda: HOSTILE in plain(reloaded.run()))
    assert "\x1b" not in plain(reloaded)
    assert "script" not in rendered(reloaded)

    press(reloaded, "stop_retraining")
    wait_for(lambda: state(store) is State.STOPPED)
    page.run()
    assert "was stopped, and goes on where it was" in plain(page)
    assert "exit status 1" in plain(page)
    assert page.subheader[0].value.startswith("No retraining is due")

    press(page, "resume_retraining")
    assert state(store) is State.RUNNING
    assert len(list((store.models / "background").glob("*-*"))) == 2


def test_a_second_start_says_so(store: Store) -> None:
    first, second = the_page("retraining"), the_page("retraining")
    press(first, "start_retraining")
    press(second, "start_retraining")
    assert not second.exception
    assert "one at a time" in plain(second)
    assert len(list((store.models / "background").glob("*-*"))) == 1


def test_history_and_rolling_back(store: Store) -> None:
    first = present(store)
    gate(store, first, a_checkpoint(store, "worse", 3), bad_evidence(), GATE)
    gate(store, first, a_checkpoint(store, "better", 4), good_evidence(), GATE)
    page = the_page("retraining")

    assert not page.exception
    assert "Deployed: better" in plain(page)
    assert "judged: **2**, of them promoted: **1**" in rendered(page)
    shown = table(page, "Event")
    assert list(shown["Event"]) == ["promoted", "refused", "set"]
    assert list(shown["In effect"]) == [True, False, True]
    records = [entry.gate for entry in read_promotions(store)[::-1] if entry.gate is not None]
    assert list(shown["Difference"][:2]) == [record.difference for record in records]

    press(page, "roll_back_1")
    assert not page.exception
    assert present(store).folder == first.folder
    assert "Deployed: first" in plain(page)
    assert table(page, "Event")["Event"][0] == "rolled back"
    assert "There is no champion before it" in rendered(page)


def test_rolling_back_to_what_is_shown_no_more_is_refused(store: Store) -> None:
    deploy(store, "second", 2)
    page = the_page("retraining")
    deploy(store, "third", 3)
    press(page, "roll_back_1")
    assert "found another champion by now" in plain(page)
    assert present(store).folder.name == "third"


def test_altered_champion_is_one_line(store: Store) -> None:
    (store.models / "first" / "model.safetensors").write_bytes(b"altered")
    page = the_page("retraining")
    assert not page.exception
    assert "What is deployed cannot be said" in rendered(page)
    assert "streetreplay champion set FOLDER" in plain(page)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000])
def test_damaged_pointer_is_one_line(store: Store, content: str) -> None:
    (store.models / "champion.json").write_text(content)
    page = the_page("retraining")
    assert not page.exception
    assert "name the champion again" in plain(page)


def test_text_of_files_is_never_rendered(store: Store) -> None:
    first = present(store)
    gate(store, first, a_checkpoint(store, "worse", 3), bad_evidence(), GATE)
    file = store.models / "promotions.jsonl"
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    for entry in entries:
        entry["reasons"] = [HOSTILE]
        if entry["gate"] is not None:
            entry["gate"] |= {"failed_slices": [HOSTILE], "statistic": HOSTILE}
            entry["folder"] = f"models/{HOSTILE}"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    folder = store.models / "retrain-20260101T000000-abcdef"
    folder.mkdir()
    written = {"asked": {"started": HOSTILE}, "steps": {HOSTILE: {}}, "minutes": {}}
    (folder / "retrain.json").write_text(json.dumps(written))
    (folder / "report.txt").write_text(f"{HOSTILE}\x1b[31m\n" * 3)
    page = the_page("retraining")

    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in plain(page)
    assert "\x1b" not in plain(page)
    assert table(page, "Steps done")["Began"][0] == HOSTILE
    assert set(table(page, "Event")["Why"]) == {HOSTILE}


def test_an_altered_store_is_seen_at_the_next_click(store: Store) -> None:
    page = the_page("retraining")
    deploy(store, "second", 2)
    page.run()
    assert "Deployed: second" in plain(page)


def effective(store: Store, policy: WeightPolicy) -> str:
    """How many equal rows the store's rows count like, as the page writes it."""
    rows = list_rows(Shards(store.sources)).rows
    with reading(store) as connection:
        gathered = gather(connection, store, rows, WeightPolicy(), "replay-a")
    return f"count like **{weigh(gathered.evidence, policy).effective:,.0f}** equal ones"


def test_sliders_weigh_at_once(store: Store) -> None:
    page = the_page("retraining")
    assert effective(store, WeightPolicy()) in rendered(page)
    assert "Most" in table(page, "Rows not at 1")

    page.slider(key="difficulty.strength").set_value(1.0)
    page.slider(key="difficulty.most").set_value(8.0).run()
    policy = WeightPolicy(difficulty=DifficultyPolicy(strength=1.0, most=8.0))
    assert not page.exception
    assert effective(store, policy) != effective(store, WeightPolicy())
    assert effective(store, policy) in rendered(page)
    assert "It will weigh rows by the sliders below" in rendered(page)

    press(page, "start_retraining")
    last = last_retraining(store)
    assert last is not None
    assert last.request is not None
    assert last.request.policy == policy

    press(page, "reset_policy")
    assert page.slider(key="difficulty.strength").value == 0.25
    assert effective(store, WeightPolicy()) in rendered(page)


def test_a_link_shows_the_same(store: Store) -> None:
    page = the_page("retraining", **{"difficulty.strength": "1.0"})
    assert page.slider(key="difficulty.strength").value == 1.0
    policy = WeightPolicy(difficulty=DifficultyPolicy(strength=1.0))
    assert effective(store, policy) != effective(store, WeightPolicy())
    assert effective(store, policy) in rendered(page)


def test_values_that_do_not_go_together_are_one_line(store: Store) -> None:
    page = the_page("retraining")
    page.slider(key="gps.near_km").set_value(200.0).run()
    assert not page.exception
    assert "expected rising distances" in plain(page)
    assert page.button(key="start_retraining").disabled
    assert page.slider(key="product.highest").value == 20.0
    assert page.subheader[0].value.startswith("No retraining is due")
    assert store.warehouse.is_file()
