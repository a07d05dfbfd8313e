"""The Gates page on empty, small and hostile stores."""

from pathlib import Path

import numpy as np
import pytest

from analytics.gates.block_sums import Measure, stage_gates
from analytics.gates.mean_gates import gate_groups, gate_means
from analytics.gates.two_runs import two_runs
from analytics.warehouse.connection import reading
from dashboards.parts.view_cells import VIEW_NAMES
from data.store import STORE_VARIABLE, Store
from data.text import printable
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, charts, plain, rendered, table, the_page
from tests.worlds.gated_replays import GATED_REPLAYS, SHARES_OF_GATES

TWELVE = """
INSERT INTO replay_gates
SELECT 'gated', 'c' || i, view, view / 20.0, 0 FROM range(58) AS t (i), range(4, 13) AS v (view);
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the page shows: a replay with gates of 12 views, and one without."""
    store = Store(tmp_path / "store")
    change(store, GATED_REPLAYS + TWELVE + SHARES_OF_GATES)
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    return store


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("gates")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_store_without_gates_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM replay_gates")
    page = the_page("gates")
    assert not page.exception
    assert "streetreplay replay --model DIR" in plain(page)


@pytest.mark.parametrize("measure", ["share", "gate"])
def test_numbers_are_those_of_the_analysis(store: Store, measure: Measure) -> None:
    with reading(store) as connection:
        means = gate_means(connection, "gated", measure=measure)
    page = the_page("gates", mean=measure)

    assert not page.exception
    assert "Over 58 challenges (38 right on 20 source images, 20 wrong on 20)" in rendered(page)
    assert "Left out: 2 (1 × no gates, 1 × shard missing)" in plain(page)
    shown = table(page, "View")
    assert tuple(shown["View"]) == VIEW_NAMES
    for column, values in (
        (f"{measure.capitalize()}, right", [view.right for view in means.views]),
        ("Difference", [view.difference for view in means.views]),
        ("95% from", [view.interval[0] for view in means.views if view.interval]),
        ("Pruned, wrong", [100 * (view.wrong_dropped or 0) for view in means.views]),
    ):
        assert list(shown[column]) == values
    assert "gate changes: found no slice that a source row can be in" in plain(page)
    # three planes, differences, groups, entropy
    assert charts(page) == 6


def test_a_label_can_be_chosen(store: Store) -> None:
    page = the_page("gates", label="1")

    assert not page.exception
    assert "Over 29 challenges" in rendered(page)
    assert "29 × label 0" in plain(page)


def test_a_label_without_a_challenge_is_said(store: Store) -> None:
    change(store, "UPDATE media SET label = 0")
    page = the_page("gates", label="1")

    assert not page.exception
    assert "No challenge is left" in rendered(page)


def test_right_answers_alone(store: Store) -> None:
    change(
        store,
        "UPDATE replay_predictions SET probability = label FROM media "
        "WHERE media.challenge_id = replay_predictions.challenge_id",
    )
    page = the_page("gates")

    assert not page.exception
    assert "No intervals" in rendered(page)
    assert table(page, "View")["Share, wrong"].isna().all()
    assert charts(page) == 6


def test_other_numbers_of_views_have_a_table_but_no_plane(store: Store) -> None:
    change(store, "DELETE FROM replay_gates WHERE view > 5")
    page = the_page("gates")

    assert not page.exception
    assert "This model has 5 views" in rendered(page)
    assert list(table(page, "View")["View"]) == [f"view {k}" for k in range(1, 6)]
    assert charts(page) == 3


def test_metadata_fed_run_is_marked(store: Store) -> None:
    change(store, "UPDATE replay_runs SET uses_metadata = true")
    assert "With metadata" in the_page("gates").warning[0].value


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    change(store, f"UPDATE replay_predictions SET reason = '{HOSTILE}' WHERE reason IS NOT NULL")  # noqa: S608
    change(store, f"UPDATE replay_runs SET model = '{HOSTILE}'")  # noqa: S608
    change(store, f"UPDATE media SET city = '{HOSTILE}', file = '{HOSTILE}'")  # noqa: S608
    page = the_page("gates", by="city")

    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in plain(page)
    assert set(table(page, "City")["City"]) == {printable(HOSTILE, 40)}


def test_a_new_replay_is_seen_at_the_next_click(store: Store) -> None:
    page = the_page("gates")
    change(store, "DELETE FROM replay_gates WHERE challenge_id = 'c1'")
    page.run()
    assert "Over 57 challenges" in rendered(page)


OTHER = """
INSERT INTO replay_runs VALUES ('other', 'm', false, '2025-01-03', 60, 40, '{}');
INSERT INTO replay_predictions BY NAME
SELECT * REPLACE ('other' AS run_id) FROM replay_predictions WHERE run_id = 'gated';
INSERT INTO replay_gates BY NAME
SELECT * REPLACE ('other' AS run_id, 1.0 / 12 AS share) FROM replay_gates;
"""


def test_groups_are_those_of_the_analysis_and_of_the_link(store: Store) -> None:
    change(store, "UPDATE media SET aug_level = position // 30")
    with reading(store) as connection:
        stage_gates(connection, "gated")
        groups = gate_groups(connection, "gated", "level")
    page = the_page("gates", by="level", answers="wrong")
    assert not page.exception
    shown = table(page, "Level")
    assert list(shown["Level"]) == [group.value for group in groups]
    assert list(shown["n"]) == [group.challenges for group in groups]
    assert list(shown["centre"]) == [group.views[10].wrong for group in groups]
    for by in page.selectbox("by_choice").options:
        assert not page.selectbox("by_choice").set_value(by).run().exception
    assert page.query_params["by"] == "image-size"


def test_two_runs_stand_side_by_side(store: Store) -> None:
    change(store, OTHER)
    with reading(store) as connection:
        found = two_runs(connection, "gated", "other")
    page = the_page("gates", run="gated", other="other")
    assert not page.exception
    beside = table(page, "Other run")
    assert list(beside["Difference"]) == [view.difference for view in found.views]
    assert f"On the {found.challenges} challenges of {found.images} source images" in rendered(page)
    # the even one's shares are as spread as can be
    over = table(page, "Entropy, bits")
    assert set(over["Run"]) == {"gated", "other"}
    assert over[over["Run"] == "other"]["Entropy, bits"].min() == pytest.approx(np.log2(12))


def test_slices_that_weigh_more_lead_to_a_retraining(store: Store) -> None:
    """Where it is wrong in one city the first view takes all."""
    change(
        store,
        "UPDATE media SET city = CASE WHEN position % 2 = 0 THEN 'boston' ELSE 'denver' END;"
        "UPDATE replay_gates SET share = (view = "
        "CASE WHEN challenge_id[2:]::INTEGER % 6 = 0 THEN 1 ELSE 12 END)::INTEGER",
    )
    page = the_page("gates")
    assert not page.exception
    shown = table(page, "Factor")
    factors = dict(zip(shown["Value"], shown["Factor"], strict=True))
    assert factors["boston"] > 1.5
    assert factors["denver"] == 1.0
    assert "Gates raise most the rows of city boston" in plain(page)
    assert page.get("page_link")
