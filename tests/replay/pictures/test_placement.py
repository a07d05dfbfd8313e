"""Outlines against torchvision's own chain on frames whose blocks of pixels are numbered."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from data.records.types import Augmentation, Geometry
from data.sources.shards import Shards
from data.store import Store
from replay.pictures.placement import Placement, placement_of
from replay.rebuilding.rebuild import Rebuilder
from tests.conftest import golden_expected

BLOCK = 3
Size = tuple[int, int]
Floats = npt.NDArray[np.float64]


def numbered(size: Size, block: int = BLOCK) -> torch.Tensor:
    """(1, H, W): each block of pixels holds its own number, from 1; black is 0."""
    width, height = size
    rows, columns = np.arange(height) // block, np.arange(width) // block
    numbers = rows[:, None] * (columns[-1] + 1) + columns + 1
    return torch.from_numpy(numbers[None].astype(np.float32))


def middles(frame: torch.Tensor) -> dict[int, Floats]:
    """Where the middle of each number's pixels lies in a picture: x and y."""
    found = frame[0].numpy().astype(int)
    rows, columns = np.indices(found.shape)
    count = np.bincount(found.ravel())
    x, y = (np.bincount(found.ravel(), places.ravel()) for places in (columns, rows))
    return {
        int(number): np.array([x[number], y[number]]) / count[number] + 0.5
        for number in np.flatnonzero(count)
        if number
    }


def depth(corners: Floats, point: Floats) -> float:
    """How far inside a convex outline a point lies, in pixels; negative outside."""
    edges = np.roll(corners, -1, axis=0) - corners
    to_point = point - corners
    cross = edges[:, 0] * to_point[:, 1] - edges[:, 1] * to_point[:, 0]
    turn = np.sign(np.cross(np.append(edges[0], 0), np.append(edges[1], 0))[2])
    return float((turn * cross / np.linalg.norm(edges, axis=1)).min())


def hold(placement: Placement, source: torch.Tensor, sent: torch.Tensor, slack: float) -> None:
    """What lies inside the outline was sent, and at its place; what lies outside was not."""
    height, width = sent.shape[1:]
    were_sent = middles(sent)
    seen = inside = outside = 0
    for number, point in middles(source).items():
        reach = depth(placement.outline, point)
        if reach > slack:
            inside += 1
            assert number in were_sent
            u, v = placement.to_source.inverted().transform(point)
            found = were_sent[number] / (width, height)
            seen += np.abs((found - (u, v)) * (width, height)).max() < slack
        if reach < -slack:
            outside += 1
            assert number not in were_sent
    assert seen == inside
    assert inside or outside


def crop(
    angle: float, box: tuple[int, int, int, int], horizontal: bool = False, vertical: bool = False
) -> Augmentation:
    top, left, height, width = box
    return Augmentation(
        geometry=Geometry.CROP,
        aug_level=1,
        angle=angle,
        crop_top=top,
        crop_left=left,
        crop_height=height,
        crop_width=width,
        flip_horizontal=horizontal,
        flip_vertical=vertical,
    )


def placed_in(augmentation: Augmentation, size: Size) -> Placement:
    found = placement_of(augmentation, size)
    assert found is not None
    return found


def sent_crop(size: Size, augmentation: Augmentation) -> torch.Tensor:
    """The validator's chain, but for the resizing, which moves nothing."""
    assert augmentation.angle is not None
    box = [getattr(augmentation, f"crop_{side}") for side in ("top", "left", "height", "width")]
    frame: torch.Tensor = F.crop(F.rotate(numbered(size), augmentation.angle), *box)
    frame = F.hflip(frame) if augmentation.flip_horizontal else frame
    if augmentation.flip_vertical:
        frame = F.vflip(frame)
    return frame


@pytest.mark.parametrize("angle", [-20.0, -7.5, 0.0, 7.5, 20.0])
@pytest.mark.parametrize("size", [(160, 90), (90, 160)])
@pytest.mark.parametrize("horizontal", [False, True])
@pytest.mark.parametrize("vertical", [False, True])
def test_a_crops_outline_holds_what_was_sent_and_no_more(
    size: Size, angle: float, horizontal: bool, vertical: bool
) -> None:
    wanted = crop(angle, (5, 20, 60, 60), horizontal, vertical)
    placement = placed_in(wanted, size)
    hold(placement, numbered(size), sent_crop(size, wanted), slack=2 * BLOCK)


@st.composite
def crops(draw: st.DrawFn) -> tuple[Size, Augmentation]:
    width, height = draw(st.integers(20, 90)), draw(st.integers(20, 90))
    # of a smaller one in so small a frame no block need lie beyond the slack
    side = draw(st.integers(18, min(width, height)))
    top, left = draw(st.integers(0, height - side)), draw(st.integers(0, width - side))
    angle = draw(st.floats(-180, 180))
    flips = draw(st.booleans()), draw(st.booleans())
    return (width, height), crop(angle, (top, left, side, side), *flips)


@given(crops())
@settings(max_examples=60, deadline=None)
def test_any_crop_at_any_angle(case: tuple[Size, Augmentation]) -> None:
    size, wanted = case
    hold(placed_in(wanted, size), numbered(size), sent_crop(size, wanted), slack=2 * BLOCK)


def test_a_turn_to_the_left_is_an_outline_turned_to_the_right() -> None:
    placement = placed_in(crop(90.0, (0, 20, 40, 40)), (80, 40))
    # counter-clockwise: the top left of what was sent came from the top right of the middle
    assert placement.outline == pytest.approx(
        np.array([[60, 0], [60, 40], [20, 40], [20, 0]]), abs=1e-9
    )
    assert not placement.overhangs


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (61, 60), (60, 63), (50, 50)])
def test_level_0_is_torchvisions_centre_to_the_pixel(size: Size) -> None:
    each_pixel = numbered(size, block=1)
    sent = set(F.center_crop(each_pixel, [min(size)] * 2).flatten().tolist())
    placement = placed_in(Augmentation(geometry=Geometry.CROP, aug_level=0), size)
    inside = {
        number
        for number, point in middles(each_pixel).items()
        if depth(placement.outline, point) > 0
    }
    assert inside == sent
    assert not placement.overhangs


def letterbox(size: Size, level: int, angle: float | None) -> Augmentation:
    """As the validator computes and logs it (DOMAIN.md §2)."""
    scale = min(224 / size[0], 224 / size[1])
    width, height = int(size[0] * scale), int(size[1] * scale)
    left, top = (224 - width) // 2, (224 - height) // 2
    return Augmentation(
        geometry=Geometry.LETTERBOX,
        aug_level=level,
        angle=angle,
        letterbox_scale=scale,
        letterbox_height=height,
        letterbox_width=width,
        letterbox_padding=(left, top, 224 - width - left, 224 - height - top),
    )


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (101, 67), (224, 224)])
@pytest.mark.parametrize("angle", [None, -20.0, 11.0])
def test_a_letterboxs_outline_holds_the_frame_but_for_turned_corners(
    size: Size, angle: float | None
) -> None:
    wanted = letterbox(size, 0 if angle is None else 1, angle)
    block = 12
    source = numbered(size, block)
    assert wanted.letterbox_height is not None
    assert wanted.letterbox_width is not None
    assert wanted.letterbox_padding is not None
    inner = [wanted.letterbox_height, wanted.letterbox_width]
    sent = F.resize(source, inner, F.InterpolationMode.NEAREST)
    sent = F.pad(sent, list(wanted.letterbox_padding))
    sent = sent if angle is None else F.rotate(sent, angle)
    placement = placed_in(wanted, size)
    hold(placement, source, sent, slack=1.5 * block)
    assert placement.overhangs == (angle is not None or size[0] != size[1])


def test_the_frame_in_the_sent_image_ends_where_its_padding_begins() -> None:
    placement = placed_in(letterbox((320, 160), 0, None), (320, 160))
    assert placement.frame * 224 == pytest.approx(
        np.array([[0, 56], [224, 56], [224, 168], [0, 168]]), abs=1e-9
    )


def test_what_was_not_augmented_is_the_whole_frame() -> None:
    placement = placed_in(Augmentation(geometry=Geometry.NONE), (30, 20))
    assert placement.outline.tolist() == [[0, 0], [30, 0], [30, 20], [0, 20]]


@pytest.mark.parametrize(
    "lacking",
    [
        Augmentation(),
        dataclasses.replace(crop(1.0, (0, 0, 9, 9)), angle=None),
        dataclasses.replace(crop(1.0, (0, 0, 9, 9)), crop_left=None),
        dataclasses.replace(crop(1.0, (0, 0, 9, 9)), crop_width=0),
        dataclasses.replace(letterbox((9, 9), 1, 1.0), letterbox_width=0),
        dataclasses.replace(letterbox((9, 9), 1, 1.0), letterbox_padding=None),
    ],
)
def test_a_lacking_parameter_leaves_no_outline(lacking: Augmentation) -> None:
    assert placement_of(lacking, (20, 20)) is None


def difference(placement: Placement, source: Image.Image, seen: Floats) -> float:
    """Between what was sent and the source pulled out of the outline by Pillow, per value."""
    north_west, north_east, south_east, south_west = placement.outline
    quad = tuple(np.concatenate([north_west, south_west, south_east, north_east]))
    # shrunk first, as an antialiased resize does; then no pixel is left out
    pulled = source.transform((896, 896), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)
    pulled = pulled.resize((224, 224), Image.Resampling.BOX)
    return float(np.abs(np.asarray(pulled, float) - seen).mean())


@pytest.mark.parametrize(("era", "least"), [("e7", 3), ("e9", 2), ("e5", 1)])
def test_the_validators_own_images_are_what_their_outlines_hold(
    store: Store, golden: Path, era: str, least: int
) -> None:
    ingest(store, [golden / era / "challenges.jsonl"])
    with reading(store) as connection:
        challenges = stored_challenges(connection, ChallengeSelection(limit=12))
    rebuilder = Rebuilder(Shards(golden / era / "sources"))
    checked = 0
    for challenge, want in zip(challenges, golden_expected(golden, era), strict=False):
        jpeg = golden / era / "jpeg" / f"{want['challenge']:05d}.jpg"
        if want["level"] not in (0, 1) or not jpeg.exists():
            continue
        seen = np.asarray(Image.open(jpeg), float)
        source = rebuilder.source(challenge).convert("RGB")
        right = difference(placed_in(challenge.augmentation, source.size), source, seen)
        assert right < 6
        angle = challenge.augmentation.angle
        if angle is not None and abs(angle) > 3:
            checked += 1
            other_way = dataclasses.replace(challenge.augmentation, angle=-angle)
            wrong = difference(placed_in(other_way, source.size), source, seen)
            assert wrong > 2 * right
    assert checked >= least
