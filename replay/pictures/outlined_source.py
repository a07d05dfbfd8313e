"""A source image with the outline of what was cut from it, drawn with matplotlib."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from replay.pictures.cards import Picture
from replay.pictures.placement import Placement

CUT = "#ff0a8a"
"""Colour of outlines."""

_REACH = 1.5  # longer sides of a source that an outline is followed outside it


def draw_source(axes: Axes, source: Picture, placement: Placement | None) -> None:
    """The source, pale outside the crop; beyond its frame black, as far as the outline reaches."""
    width, height = source.size
    extent = (0, width, height, 0)
    if placement is None:
        axes.imshow(source.pixels, extent=extent)
        return
    outline = placement.outline
    axes.add_patch(Polygon(outline, facecolor="black", zorder=0))
    axes.imshow(source.pixels, extent=extent, alpha=0.5, zorder=1)
    cut = Polygon(outline, transform=axes.transData)
    axes.imshow(source.pixels, extent=extent, zorder=2).set_clip_path(cut)
    corners = [(float(x), float(y)) for x, y in outline]
    # a hostile log can put a crop anywhere
    reach = _REACH * max(width, height)
    xs, ys = zip((0, 0), source.size, *corners, strict=True)
    axes.set_xlim(max(min(xs), -reach), min(max(xs), width + reach))
    axes.set_ylim(min(max(ys), height + reach), max(min(ys), -reach))
    far = bool((np.abs(outline) > reach + max(width, height)).any())
    mark_line(axes, [*corners, corners[0]], clip=far)
    mark_start(axes, corners[0], clip=far)


def mark_line(axes: Axes, points: Sequence[tuple[float, float]], *, clip: bool = False) -> None:
    """A line that shows on any picture, as wide on a large source as on a small one."""
    xs, ys = zip(*points, strict=True)
    for color, width in (("white", 3.4), (CUT, 1.7)):
        axes.plot(xs, ys, color=color, linewidth=width, solid_joinstyle="miter", clip_on=clip)


def mark_start(axes: Axes, point: tuple[float, float], *, clip: bool = False) -> None:
    """A dot at the top left corner of what was sent."""
    axes.plot(*point, "o", color=CUT, markersize=6, markeredgecolor="white", clip_on=clip, zorder=5)
