"""A contact sheet drawn with matplotlib: one row a challenge.

Nothing of pyplot's state is used. Text of a log is drawn as text: no mathtext, and characters that
control something or that the font lacks are escaped.
"""

import textwrap
from collections.abc import Sequence

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from data.text import printable
from replay.pictures.caption import caption, note_without_variants, percent, reason_without_image
from replay.pictures.cards import Card, Picture, VariantPicture
from replay.pictures.outlined_source import CUT, draw_source, mark_line, mark_start
from replay.pictures.placement import Placement

# Lengths are hundredths of an inch.
_UNITS, _DPI = 100, 150
_MARGIN, _GAP, _BETWEEN, _HEADER = 36, 20, 30, 118
_CAPTION, _KEY, _LINE = 262, 62, 13.5
_SOURCE, _SIDE = 400, 244
_TILE, _TILE_GAP, _TILE_PITCH, _TILES_ACROSS = 107, 10, 129, 4
_LEFT_SOURCE = _MARGIN + _CAPTION + _GAP
_LEFT_REBUILT = _LEFT_SOURCE + _SOURCE + _GAP
_LEFT_TILES = _LEFT_REBUILT + _SIDE + _GAP
_WIDTH = _LEFT_TILES + _TILES_ACROSS * (_TILE + _TILE_GAP) - _TILE_GAP + _MARGIN

_SANS, _MONO = "DejaVu Sans", "DejaVu Sans Mono"  # matplotlib brings both
_NARROW, _WIDE, _MOST = 32, 130, 400  # characters
_INK, _QUIET, _RULE, _ALARM = "#1b1f24", "#68717a", "#d5dade", "#b3261e"
_NOISY = "#7a3ff2"


class _Page:
    """A figure whose parts are positioned from its top left."""

    def __init__(self, height: float) -> None:
        self.figure = Figure(figsize=(_WIDTH / _UNITS, height / _UNITS), dpi=_DPI)
        self._height = height

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes without ticks or frame, for a picture in its own proportions."""
        bottom = 1 - (top + height) / self._height
        axes = self.figure.add_axes(
            (left / _WIDTH, bottom, width / _WIDTH, height / self._height), anchor="NW"
        )
        axes.set_axis_off()
        return axes

    def text(
        self,
        left: float,
        top: float,
        words: str,
        *,
        size: float = 7.2,
        color: str = _INK,
        family: str = _SANS,
        weight: str = "normal",
    ) -> None:
        """Lines of text, never parsed; `top` is that of the first."""
        self.figure.text(
            left / _WIDTH,
            1 - top / self._height,
            words,
            size=size,
            color=color,
            family=family,
            weight=weight,
            va="top",
            parse_math=False,
        )

    def line(self, left: float, right: float, top: float, color: str, width: float) -> None:
        """A horizontal line."""
        y = 1 - top / self._height
        ends = (left / _WIDTH, right / _WIDTH)
        self.figure.add_artist(Line2D(ends, (y, y), color=color, linewidth=width))


def draw_page(cards: Sequence[Card], heading: str) -> Figure:
    """A page of all these cards, in their order.

    Args:
        cards: what is on it.
        heading: a line above them, such as how many of how many challenges they are.
    """
    heights = [_height(card) for card in cards]
    page = _Page(_HEADER + sum(heights) + len(cards) * _BETWEEN + _MARGIN / 2)
    _draw_header(page, heading)
    top = float(_HEADER)
    for card, height in zip(cards, heights, strict=True):
        page.line(_MARGIN, _WIDTH - _MARGIN, top, _RULE, 0.8)
        _draw_card(page, card, top + _BETWEEN / 2)
        top += height + _BETWEEN
    return page.figure


def drawable(words: str, width: int, most: int = _MOST) -> list[str]:
    """Text as lines of at most `width` characters, each of which the font has a glyph for.

    Args:
        words: anything, for instance text of a log.
        width: of a line.
        most: characters in all; what is cut off leaves an ellipsis.
    """
    glyphs = font_manager.get_font(font_manager.findfont(_MONO)).get_charmap()
    escaped = "".join(
        c if ord(c) in glyphs else c.encode("unicode_escape").decode()
        for c in printable(words, most)
    )
    return textwrap.wrap(escaped, width, break_on_hyphens=False) or [""]


def _height(card: Card) -> float:
    return max(_SIDE if card.source else 0.0, _LINE * (len(_caption_lines(card)) + 1.5))


def _draw_header(page: _Page, heading: str) -> None:
    page.text(_MARGIN, 26, "What miners saw", size=15, weight="bold")
    page.text(_MARGIN, 52, "\n".join(drawable(heading, 200)), size=8.5, color=_QUIET)
    _draw_key(page, 78)
    headings = {
        _MARGIN: "Recorded",
        _LEFT_SOURCE: "Source, and what was cut from it",
        _LEFT_REBUILT: "Rebuilt, before distortions",
        _LEFT_TILES: "Possible images, most probable first",
    }
    for left, words in headings.items():
        page.text(left, _HEADER - 16, words, size=8, weight="bold")


def _draw_key(page: _Page, top: float) -> None:
    """The legend of the marks: each as high as a line of text, before its words."""
    axes = page.axes(_MARGIN, top, _WIDTH - 2 * _MARGIN, 12)
    axes.set(xlim=(0, _WIDTH - 2 * _MARGIN), ylim=(0, 12))
    mark_line(axes, [(0, 6), (24, 6)])
    mark_start(axes, (346, 6))
    axes.plot([512, 536], [6, 6], color=CUT, linewidth=1.1, linestyle=(0, (3, 2)))
    axes.add_patch(Polygon([(776, 1), (776, 11), (800, 11), (800, 1)], color="black"))
    for left, words in (
        (30, "outline of the image that was sent, turned as it was"),
        (354, "its top left corner, as sent"),
        (542, "edge of the source in the rebuilt image"),
        (806, "outside the source: black in what was sent"),
    ):
        page.text(_MARGIN + left, top + 1, words, color=_QUIET)


def _draw_card(page: _Page, card: Card, top: float) -> None:
    page.text(
        _MARGIN, top, card.planned.challenge.challenge_id, size=9, weight="bold", family=_MONO
    )
    lines = _caption_lines(card)
    left = _MARGIN
    for index, (key, value) in enumerate(lines):
        line_top = top + _LINE * (index + 1.4)
        page.text(left, line_top, key, color=_QUIET)
        page.text(left + _KEY, line_top, value, family=_MONO)
    if card.source is not None:
        draw_source(page.axes(_LEFT_SOURCE, top, _SOURCE, _SIDE), card.source, card.placement)
    if card.rebuilt is not None:
        _draw_rebuilt(page.axes(_LEFT_REBUILT, top, _SIDE, _SIDE), card.rebuilt, card.placement)
        _draw_variants(page, card.variants, top)
        if not card.variants:
            page.text(_LEFT_TILES, top, note_without_variants(card.planned), color=_QUIET)
    else:
        words = drawable(
            reason_without_image(card.planned), _WIDE if card.source is None else _NARROW
        )
        left = _LEFT_SOURCE if card.source is None else _LEFT_REBUILT
        page.text(left, top, "\n".join(words), size=8, color=_ALARM)


def _caption_lines(card: Card) -> list[tuple[str, str]]:
    """The caption, each value wrapped to as many lines as it needs."""
    return [
        (key if index == 0 else "", line)
        for key, value in caption(card)
        for index, line in enumerate(drawable(value, _NARROW, 3 * _NARROW))
    ]


def _draw_rebuilt(axes: Axes, rebuilt: Picture, placement: Placement | None) -> None:
    width, height = rebuilt.size
    axes.imshow(rebuilt.pixels, extent=(0, width, height, 0))
    if placement is None:
        return
    if placement.overhangs:
        frame = placement.frame * rebuilt.size
        axes.add_patch(
            Polygon(frame, fill=False, edgecolor=CUT, linewidth=1.1, linestyle=(0, (3, 2)))
        )
    axes.set(xlim=(0, width), ylim=(height, 0))
    mark_start(axes, (0, 0))


def _draw_variants(page: _Page, variants: Sequence[VariantPicture], top: float) -> None:
    for index, variant in enumerate(variants):
        row, column = divmod(index, _TILES_ACROSS)
        left = _LEFT_TILES + column * (_TILE + _TILE_GAP)
        tile_top = top + row * _TILE_PITCH
        page.axes(left, tile_top, _TILE, _TILE).imshow(variant.picture.pixels)
        words, color = percent(variant.weight), _INK
        if variant.noisy:
            words, color = f"{words}, simulated noise", _NOISY
        page.text(left, tile_top + _TILE + 2, words, color=color, size=6.8)
