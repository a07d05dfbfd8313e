"""The chart of gates over an image: the views' rectangles, their values, and the image itself."""

import base64
from typing import Any

import pytest

from dashboards.challenges.gates_over_image import gates_over_image
from dashboards.parts.view_cells import VIEW_NAMES, cells
from model.views.views import VIEWS, view_boxes

VALUES = [(7 * number % 12 + 1) / 13 for number in range(VIEWS)]
JPEG = b"\xff\xd8 an image \xff\xd9"


def drawn(jpeg: bytes | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The chart as Vega-Lite, and its layers."""
    chart = gates_over_image(VALUES, "share", jpeg).to_dict()
    return chart, chart["layer"]


def rows(chart: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart["datasets"][layer["data"]["name"]]
    return found


def marks(layers: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [layer for layer in layers if layer["mark"]["type"] == kind]


def test_each_view_has_its_value_in_its_place() -> None:
    chart, layers = drawn(JPEG)
    filled = next(layer for layer in marks(layers, "rect") if "color" in layer["encoding"])
    shown = rows(chart, filled)
    assert [row["name"] for row in shown] == list(VIEW_NAMES)
    assert [row["value"] for row in shown] == VALUES
    for row, cell in zip(shown, cells(), strict=True):
        assert (row["top"], row["left"], row["bottom"], row["right"]) == cell.box
    assert filled["encoding"]["color"]["scale"]["domain"] == [0, max(VALUES)]
    # the middle of each tile of the grid lies in that view of the model and in no other tile
    boxes = view_boxes(1000, 1000)[1:10]
    for number, row in enumerate(shown[1:10]):
        inside = [
            top <= 1000 * row["y"] < bottom and left <= 1000 * row["x"] < right
            for top, left, bottom, right in boxes
        ]
        assert inside[number]


def test_the_image_lies_under_the_grid_and_under_each_small_view() -> None:
    chart, layers = drawn(JPEG)
    (image,) = marks(layers, "image")
    kind, data = image["mark"]["url"].split(",", 1)
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(data) == JPEG
    places = [(row["top"], row["left"], row["bottom"], row["right"]) for row in rows(chart, image)]
    assert places == [(0, 0, 1, 1), *(cell.frame for cell in cells() if cell.frame)]


def test_without_an_image_the_rectangles_are_opaque() -> None:
    for jpeg, opacity in ((None, 1.0), (JPEG, 0.45)):
        _, layers = drawn(jpeg)
        filled = next(layer for layer in marks(layers, "rect") if "color" in layer["encoding"])
        assert filled["mark"]["fillOpacity"] == pytest.approx(opacity)
        assert len(marks(layers, "image")) == (jpeg is not None)


def test_gates_of_nothing_are_drawn() -> None:
    chart = gates_over_image([0.0] * VIEWS, "share", None).to_dict()
    assert chart["layer"]
