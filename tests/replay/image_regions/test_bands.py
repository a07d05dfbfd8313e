"""Bands hold every pixel of what is asked for, once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay.image_regions.bands import bands, bands_within

sides = st.integers(1, 900)


@given(sides, sides, st.integers(0, 500), st.integers(0, 500))
def test_bands_follow_each_other(width: int, height: int, left: int, top: int) -> None:
    cut = list(bands((left, top, left + width, top + height)))
    assert [(box[0], box[2]) for box in cut] == len(cut) * [(left, left + width)]
    assert [row for box in cut for row in range(box[1], box[3])] == list(range(top, top + height))


def test_an_empty_box_has_no_bands() -> None:
    assert list(bands((3, 4, 10, 4))) == []


@given(st.floats(-np.pi, np.pi), *2 * [st.floats(1, 800)], *2 * [st.floats(-100, 900)], st.data())
def test_bands_hold_a_rotated_rectangle(
    angle: float, width: float, height: float, x: float, y: float, data: st.DataObject
) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    outline = corners @ turn + (x, y)
    box = (0, 0, 1000, 800)
    cut = list(bands_within(box, outline, 2))
    shares = data.draw(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=5))
    for share in shares:
        column, row = np.floor(np.multiply(share, (width, height)) @ turn + (x, y))
        if 0 <= column < 1000 and 0 <= row < 800:
            (holding,) = [one for one in cut if one[1] <= row < one[3]]
            assert holding[0] <= column < holding[2]
