"""Where a model's 12 views lie: the grid on the unit square, three small planes below it."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]

VIEW_NAMES = (
    "global",
    *(f"grid {row},{column}" for row in (1, 2, 3) for column in (1, 2, 3)),
    "centre",
    "right",
)
"""As in `model.views.views`, which a page cannot import: it brings torch."""

BOTTOM = 1.45
"""Of all that is drawn; the unit square ends at 1."""

# Tiles overlap: here each is drawn up to the middle of what it shares with the next.
_EDGES = (0.0, 0.35, 0.65, 1.0)
# The other views lie over the grid, so each has a small image of its own below it.
_INSET_SIDE, _INSET_TOP = 0.3, 1.13
_INSET_LEFTS = (0.0, 0.35, 0.7)
_INSIDE: dict[str, Box] = {
    "global": (0.0, 0.0, 1.0, 1.0),
    "centre": (0.25, 0.25, 0.75, 0.75),
    "right": (0.0, 0.5, 1.0, 1.0),
}


@dataclass(frozen=True)
class Cell:
    """A view as a rectangle (top, left, bottom, right) of the plane, and its frame if it has one.

    The grid fills the unit square; the other views stand below it.
    """

    name: str
    box: Box
    frame: Box | None


def cells() -> list[Cell]:
    """The 12 views in their order."""
    insets = dict(zip(_INSIDE, _INSET_LEFTS, strict=True))
    return [_inset(name, insets[name]) if name in insets else _tile(name) for name in VIEW_NAMES]


def _tile(name: str) -> Cell:
    row, column = (int(number) - 1 for number in name.removeprefix("grid ").split(","))
    box = (_EDGES[row], _EDGES[column], _EDGES[row + 1], _EDGES[column + 1])
    return Cell(name, box, None)


def _inset(name: str, left: float) -> Cell:
    top, inner_left, bottom, right = (_INSET_SIDE * part for part in _INSIDE[name])
    box = (_INSET_TOP + top, left + inner_left, _INSET_TOP + bottom, left + right)
    return Cell(name, box, (_INSET_TOP, left, _INSET_TOP + _INSET_SIDE, left + _INSET_SIDE))


def planes() -> list[Box]:
    """Where the whole image lies: under the grid, and small under each other view."""
    return [(0.0, 0.0, 1.0, 1.0), *(cell.frame for cell in cells() if cell.frame is not None)]


def sides(box: Box) -> dict[str, float]:
    """A box as columns of a chart: its edges, and its middle, x and y."""
    top, left, bottom, right = box
    return {
        "top": top,
        "left": left,
        "bottom": bottom,
        "right": right,
        "x": (left + right) / 2,
        "y": (top + bottom) / 2,
    }
