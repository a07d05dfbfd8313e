"""Charts of views: where they lie, what is drawn, and its colours."""

from typing import Any

import pytest

from analytics.gates.block_sums import Measure
from analytics.gates.mean_gates import GateMeans
from analytics.gates.view_means import ViewMeans
from dashboards.gates.difference_chart import difference_chart
from dashboards.gates.plane_chart import plane_charts
from dashboards.parts.view_cells import VIEW_NAMES, cells
from model.views import views


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


@pytest.mark.parametrize("measure", ["share", "gate"])
def test_charts_hold_every_view_and_mark_what_is_significant(measure: Measure) -> None:
    gates = [
        ViewMeans(k, 0.4, 0.5, 0.25, 0.0, 0.0, 0.25, (0.1, 0.4) if k == 2 else (-0.1, 0.6))
        for k in range(1, 13)
    ]
    means = GateMeans(None, gates, 30, 20, 12, 11, 0, measure, {}, 0.95)
    planes: list[dict[str, Any]] = [chart.to_dict() for chart in plane_charts(means)]
    intervals: dict[str, Any] = difference_chart(gates, VIEW_NAMES, "").to_dict()

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
    assert len(next(rows for rows in intervals["datasets"].values() if "name" in rows[0])) == 12
    scales = [plane["layer"][1]["encoding"]["color"]["scale"] for plane in planes]
    assert [scale["domain"] for scale in scales] == [[0.25, 0.5], [0.25, 0.5], [-0.6, 0.6]]


def test_a_model_that_shut_every_gate_is_drawn() -> None:
    shut = [ViewMeans(k, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, None) for k in range(1, 13)]
    planes = plane_charts(GateMeans(None, shut, 30, 20, 12, 11, 0, "share", {}, 0.95))
    color = planes[0].to_dict()["layer"][1]["encoding"]["color"]
    assert color["scale"]["domain"] == [0, 1]


def test_an_image_lies_under_the_views() -> None:
    views = [ViewMeans(k, 0.1, 0.1, 0.2, 0.0, 0.0, -0.1, None) for k in range(1, 13)]
    means = GateMeans(None, views, 30, 20, 12, 11, 0, "share", {}, 0.95)
    for plane in plane_charts(means, b"jpeg"):
        marks = [layer["mark"] for layer in plane.to_dict()["layer"]]
        assert [mark["type"] for mark in marks[:3]] == ["rect", "image", "rect"]
        assert marks[1]["url"] == "data:image/jpeg;base64,anBlZw=="
        assert marks[2]["fillOpacity"] < 1
