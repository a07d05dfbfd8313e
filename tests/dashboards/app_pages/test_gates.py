"""The Gates page on empty, small and hostile stores."""

from pathlib import Path
from typing import Any

import pytest

from analytics.gates.mean_gates import GateMeans, Measure, ViewMeans, gate_means
from analytics.warehouse.connection import reading
from dashboards.parts.gates_chart import VIEW_NAMES, cells, intervals_chart, plane_charts
from data.store import STORE_VARIABLE, Store
from model.views import views
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
    page = the_page("gates")
    if measure == "gate":  # shares are shown first
        page.radio[1].set_value("gate").run()

    assert not page.exception
    assert [metric.value for metric in page.metric] == ["58", "38", "20", "2"]
    assert "1 × shard missing" in plain(page)
    shown = table(page, "View")
    assert tuple(shown["View"]) == VIEW_NAMES
    for column, values in (
        (f"{measure.capitalize()}, right", [view.right for view in means.views]),
        ("Difference", [view.difference for view in means.views]),
        ("95% from", [view.interval[0] for view in means.views if view.interval]),
        ("Pruned, wrong", [100 * (view.wrong_dropped or 0) for view in means.views]),
    ):
        assert list(shown[column]) == values
    assert charts(page) == 4


def test_a_label_can_be_chosen(store: Store) -> None:
    page = the_page("gates")
    page.radio[0].set_value("1 · roadwork").run()

    assert not page.exception
    assert page.metric[0].value == "29"
    assert "29 × label 0" in plain(page)


def test_a_label_without_a_challenge_is_said(store: Store) -> None:
    change(store, "UPDATE media SET label = 0")
    page = the_page("gates")
    page.radio[0].set_value("1 · roadwork").run()

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
    assert charts(page) == 4


def test_other_numbers_of_views_have_a_table_but_no_plane(store: Store) -> None:
    change(store, "DELETE FROM replay_gates WHERE view > 5")
    page = the_page("gates")

    assert not page.exception
    assert "This model has 5 views" in rendered(page)
    assert list(table(page, "View")["View"]) == [f"view {k}" for k in range(1, 6)]
    assert charts(page) == 1


def test_metadata_fed_run_is_marked(store: Store) -> None:
    change(store, "UPDATE replay_runs SET uses_metadata = true")
    assert "With metadata" in the_page("gates").warning[0].value


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    change(store, f"UPDATE replay_predictions SET reason = '{HOSTILE}' WHERE reason IS NOT NULL")  # noqa: S608
    change(store, f"UPDATE replay_runs SET model = '{HOSTILE}'")  # noqa: S608
    page = the_page("gates")

    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in plain(page)


def test_a_new_replay_is_seen_at_the_next_click(store: Store) -> None:
    page = the_page("gates")
    change(store, "DELETE FROM replay_gates WHERE challenge_id = 'c1'")
    page.run()
    assert page.metric[0].value == "57"


def test_views_lie_where_the_model_takes_them() -> None:
    """Every cell inside its view's own box; the grid's, without overlap, fill the plane."""
    assert views.VIEW_NAMES == VIEW_NAMES
    drawn = cells()
    for cell, (top, left, bottom, right) in zip(drawn, views.view_boxes(1000, 1000), strict=True):
        box = tuple(1000 * edge for edge in cell.box)
        if cell.frame is None:
            inside = (top <= box[0], left <= box[1], box[2] <= bottom, box[3] <= right)
            assert all(inside), cell.name
            continue
        frame_top, frame_left, frame_bottom, _ = cell.frame
        side = frame_bottom - frame_top
        placed = (
            frame_top + side * top / 1000,
            frame_left + side * left / 1000,
            frame_top + side * bottom / 1000,
            frame_left + side * right / 1000,
        )
        assert cell.box == pytest.approx(placed), cell.name
    tiles = [cell.box for cell in drawn if cell.frame is None]
    assert sum((b - t) * (r - left) for t, left, b, r in tiles) == pytest.approx(1)


@pytest.mark.parametrize(("measure", "most"), [("share", 0.5), ("gate", 1)])
def test_charts_hold_every_view_and_mark_what_is_significant(measure: Measure, most: float) -> None:
    gates = [
        ViewMeans(k, 0.5, 0.25, 0.0, 0.0, 0.25, (0.1, 0.4) if k == 2 else (-0.1, 0.6))
        for k in range(1, 13)
    ]
    means = GateMeans(measure, gates, 30, 20, 12, 11, 0, {}, 0.95)
    planes: list[dict[str, Any]] = [chart.to_dict() for chart in plane_charts(means)]
    intervals: dict[str, Any] = intervals_chart(means, VIEW_NAMES).to_dict()

    assert [plane["title"] for plane in planes] == [
        "Right answers, n = 30",
        "Wrong answers, n = 20",
        "Right minus wrong",
    ]
    datasets = [rows for plane in planes for rows in plane["datasets"].values()]
    rows = [rows for rows in datasets if "significant" in rows[0]]
    assert [len(plane) for plane in rows] == [12] * 3
    assert [row["name"] for row in rows[2] if row["significant"]] == ["grid 1,1"]
    assert [plane[0]["text"] for plane in rows] == ["0.500", "0.250", "+0.250"]
    assert len(next(rows for rows in intervals["datasets"].values() if "order" in rows[0])) == 12
    scales = [plane["layer"][1]["encoding"]["color"]["scale"] for plane in planes]
    assert [scale["domain"] for scale in scales] == [[0, most], [0, most], [-0.6, 0.6]]


def test_a_model_that_shut_every_gate_is_drawn() -> None:
    shut = [ViewMeans(k, 0.0, 0.0, 1.0, 1.0, 0.0, None) for k in range(1, 13)]
    planes = plane_charts(GateMeans("share", shut, 30, 20, 12, 11, 0, {}, 0.95))
    color = planes[0].to_dict()["layer"][1]["encoding"]["color"]
    assert color["scale"]["domain"] == [0, 1]
