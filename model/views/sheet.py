"""An image with its 12 views outlined, and the views beside it, drawn with matplotlib.

The page shows the arrays that a backbone gets, before they are normalised. pyplot is not used: it
keeps state between figures.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D, Bbox
from PIL import Image as PILImage

from data.errors import RunError, SourceError
from data.text import printable
from model.views.views import VIEW_NAMES, VIEWS, Box, ViewExtractor, ViewSettings, view_boxes
from replay.candidates.predictor import Image

# As in data.sources.shards: of the data set and of validators' caches; other decoders start
# programs or are little tested.
_FORMATS = ("JPEG", "PNG")
_MOST_BYTES = 256 * 2**20

# Lengths are hundredths of an inch.
_DPI, _UNITS = 150, 100
_MARGIN, _GAP, _HEADER, _FOOTER = 34, 26, 78, 58
_PICTURE = 640  # of the image's longer side, at most
_TILE, _TILE_GAP, _LABEL, _ACROSS = 150, 12, 20, 4
_GRID_WIDTH = _ACROSS * _TILE + (_ACROSS - 1) * _TILE_GAP
_GRID_HEIGHT = VIEWS // _ACROSS * (_TILE + _LABEL)

_SANS = "DejaVu Sans"  # matplotlib brings it
_INK, _QUIET = "#1b1f24", "#68717a"
# One colour for each kind of view; with shares the colour shows the share instead.
_GLOBAL, _GRID, _CENTRE, _RIGHT = "#1b1f24", "#0a84ff", "#ff0a8a", "#ff8c00"
_KIND_COLOURS = (_GLOBAL,) + (_GRID,) * 9 + (_CENTRE, _RIGHT)
# The tiles of the page row by row: a column of the other views, then the grid as in the image.
_TILE_ORDER = (0, 1, 2, 3, 10, 4, 5, 6, 11, 7, 8, 9)
_COLOURS = "viridis"
_LIGHT = 0.55  # luminance, 0..1, from which on text is dark
_TITLE = 90  # characters of a file's name


@dataclass(frozen=True)
class ViewShares:
    """Mean share of each view in the fusion and its mean gate, both 0..1.

    `caption` says over which challenges.
    """

    shares: Sequence[float]
    gates: Sequence[float]
    caption: str

    @property
    def scale(self) -> Normalize:
        """Of the colours, from 0 to the largest share: twelve that sum to 1 are all small."""
        return Normalize(0, max(self.shares) or 1)

    def colours(self) -> tuple[str, ...]:
        """The colour of each view's share."""
        scale = self.scale
        return tuple(to_hex(colormaps[_COLOURS](scale(share))) for share in self.shares)


def open_picture(path: Path) -> Image:
    """The pixels of a JPEG or PNG file as RGB, uint8 (H, W, 3); EXIF orientation is not applied.

    Raises:
        SourceError: it cannot be read, is no whole JPEG or PNG, or has more pixels than Pillow
            deems safe.
    """
    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise OSError(None, f"a file of more than {_MOST_BYTES} bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("error", PILImage.DecompressionBombWarning)
            with PILImage.open(path, formats=_FORMATS) as image:
                return np.asarray(image.convert("RGB"))
    # Pillow's decoders raise almost anything on damaged files.
    except Exception as error:  # noqa: BLE001
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(
            f"image {path}", found=" ".join(words.split()), expected="a whole JPEG or PNG file"
        ) from None


def check_out(path: Path) -> None:
    """Make sure that a page can be written, before the views are computed.

    Raises:
        SourceError: its suffix is not .png, or its folder does not exist.
    """
    if path.suffix.lower() != ".png":
        raise SourceError(f"--out {path}", found=f"suffix {path.suffix!r}", expected=".png")
    if path.is_dir() or not path.parent.is_dir():
        problem = "a folder" if path.is_dir() else f"no folder {path.parent}"
        raise SourceError(
            f"--out {path}", found=problem, expected="a file in a folder that is there"
        )


def draw_views(image: Image, side: int, title: str, shares: ViewShares | None = None) -> Figure:
    """The image with its views outlined, and the views as squares of `side` pixels.

    Args:
        image: uint8, (H, W, 3) RGB.
        side: of the views in pixels.
        title: name of the image.
        shares: colour the views by these instead of by kind.

    Raises:
        RunError: shares or gates that are not one number a view, from 0 to 1.
    """
    if shares is not None:
        _check_means("shares", shares.shares)
        _check_means("gates", shares.gates)
    height, width = image.shape[:2]
    scale = _PICTURE / max(height, width)
    shown = (max(1.0, width * scale), max(1.0, height * scale))
    page = _Page(shown[0] + _GRID_WIDTH, max(shown[1], _GRID_HEIGHT))
    colours = _KIND_COLOURS if shares is None else shares.colours()
    name = printable(title, _TITLE)
    page.text(_MARGIN, 26, f"12 views of {name}", size=13, weight="bold")
    page.text(
        _MARGIN,
        52,
        f"{width} x {height} pixels; each view resized to {side} x {side}",
        color=_QUIET,
    )
    _draw_boxes(page.axes(_MARGIN, _HEADER, *shown), image, colours, shares)
    _draw_tiles(page, _MARGIN + shown[0] + _GAP, _tiles(image, side), colours, shares)
    _draw_key(page, shares)
    return page.figure


def _check_means(name: str, means: Sequence[float]) -> None:
    if not (len(means) == VIEWS and all(0 <= mean <= 1 for mean in means)):
        raise RunError(name, found=list(means), expected=f"{VIEWS} numbers of 0 to 1")


class _Page:
    """A figure on which positions are measured from the top left, in hundredths of an inch."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width + 2 * _MARGIN + _GAP
        self.height = height + _HEADER + _FOOTER
        self.figure = Figure(figsize=(self.width / _UNITS, self.height / _UNITS), dpi=_DPI)
        self._to_figure = Affine2D().scale(1 / self.width, -1 / self.height).translate(0, 1)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes without ticks or frame."""
        corners = self._to_figure.transform([(left, top + height), (left + width, top)])
        axes = self.figure.add_axes(Bbox(corners).bounds)
        axes.set_axis_off()
        return axes

    def text(
        self,
        left: float,
        top: float,
        words: str,
        *,
        size: float = 8.5,
        color: str = _INK,
        weight: str = "normal",
    ) -> None:
        """A line of text, never parsed."""
        self.figure.text(
            left,
            top,
            words,
            transform=self._to_figure + self.figure.transFigure,
            size=size,
            color=color,
            weight=weight,
            family=_SANS,
            va="center",
            parse_math=False,
        )


def _tiles(image: Image, side: int) -> np.ndarray:
    """The views as a backbone gets them, but in 0..1: (12, side, side, 3)."""
    plain = ViewSettings(side, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    views = ViewExtractor(plain).of_images([image])[0]
    return views.permute(0, 2, 3, 1).clamp(0, 1).numpy()


def _draw_boxes(
    axes: Axes, image: Image, colours: Sequence[str], shares: ViewShares | None
) -> None:
    height, width = image.shape[:2]
    axes.imshow(image, extent=(0, width, height, 0), aspect="auto", alpha=0.8)
    axes.set(xlim=(0, width), ylim=(height, 0))
    boxes = view_boxes(height, width)
    # the largest share is drawn last, so that no other hides it
    order = range(VIEWS) if shares is None else np.argsort(shares.shares, kind="stable")
    for view in order:
        _outline(axes, boxes[view], colours[view], dashed=shares is None and 1 <= view <= 9)  # noqa: PLR2004
    for view, (x, y) in _label_positions(boxes):
        axes.text(
            x,
            y,
            str(view + 1),
            color=_legible_on(colours[view]),
            size=8,
            weight="bold",
            family=_SANS,
            ha="center",
            va="center",
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": colours[view], "edgecolor": "white"},
        )


def _outline(axes: Axes, box: Box, colour: str, *, dashed: bool) -> None:
    top, left, bottom, right = box
    axes.add_patch(
        Rectangle(
            (left, top),
            right - left,
            bottom - top,
            fill=False,
            edgecolor=colour,
            linewidth=1.4,
            linestyle=(0, (4, 2)) if dashed else "-",
            path_effects=[patheffects.withStroke(linewidth=2.8, foreground="white", alpha=0.7)],
            clip_on=False,
        )
    )


def _legible_on(colour: str) -> str:
    red, green, blue = to_rgb(colour)
    return _INK if 0.3 * red + 0.59 * green + 0.11 * blue > _LIGHT else "white"


def _label_positions(boxes: Sequence[Box]) -> list[tuple[int, tuple[float, float]]]:
    """Views with the position of their numbers: in the middle of a tile, else on an edge."""
    positions = []
    for view, (top, left, bottom, right) in enumerate(boxes):
        name = VIEW_NAMES[view]
        x, y = (left + right) / 2, (top + bottom) / 2
        if name == "global":
            x, y = left, top
        elif name == "centre":
            x, y = left, bottom
        elif name == "right":
            x, y = right, (top + y) / 2
        positions.append((view, (x, y)))
    return positions


def _draw_tiles(
    page: _Page, left: float, tiles: np.ndarray, colours: Sequence[str], shares: ViewShares | None
) -> None:
    for index, view in enumerate(_TILE_ORDER):
        row, column = divmod(index, _ACROSS)
        x = left + column * (_TILE + _TILE_GAP)
        y = _HEADER + row * (_TILE + _LABEL)
        axes = page.axes(x, y, _TILE, _TILE)
        axes.imshow(tiles[view], extent=(0, 1, 1, 0), aspect="auto")
        _outline(axes, (0, 0, 1, 1), colours[view], dashed=False)
        words = f"{view + 1}  {VIEW_NAMES[view]}"
        page.text(x, y + _TILE + 9, words, size=7.5)
        if shares is not None:
            numbers = f"{shares.shares[view]:.3f} ({shares.gates[view]:.3f})"
            page.text(x + _TILE - 70, y + _TILE + 9, numbers, size=7.5)


def _draw_key(page: _Page, shares: ViewShares | None) -> None:
    top = page.height - _FOOTER / 2
    if shares is not None:
        words = f"Share of the fusion, coloured, and gate in brackets. {shares.caption}"
        page.text(_MARGIN, top, printable(words, 2 * _TITLE), color=_QUIET)
        bar = page.axes(page.width - _MARGIN - 260, top - 12, 260, 9)
        bar.set_axis_on()
        scale = ScalarMappable(shares.scale, _COLOURS)
        page.figure.colorbar(scale, cax=bar, orientation="horizontal")
        bar.tick_params(labelsize=7, color=_QUIET, labelcolor=_QUIET)
        return
    left = float(_MARGIN)
    for colour, words in (
        (_GLOBAL, "global"),
        (_GRID, "3 x 3 grid, a quarter of each tile in the next"),
        (_CENTRE, "centre, the middle half"),
        (_RIGHT, "right half"),
    ):
        page.text(left, top, "\N{BLACK SQUARE}", color=colour, size=10)
        page.text(left + 16, top, words, color=_QUIET)
        left += 40 + 6.4 * len(words)
