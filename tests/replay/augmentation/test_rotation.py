"""Our chain against torchvision's own, byte for byte; its grid is made by either arithmetic."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import _functional_tensor
from torchvision.transforms import functional as F  # noqa: N812

from data.records.types import Augmentation, Geometry
from replay.augmentation.augment import augment
from replay.augmentation.crop_kernel import Floats, nearest_pixel
from replay.augmentation.resize_weights import resize_weights
from replay.augmentation.rotation import crop_values
from replay.augmentation.rotation_grid import cosine_and_sine, frame_grid
from replay.settings import Arithmetic
from tests.worlds.stores import picture

Box = tuple[int, int, int, int]
Case = tuple[tuple[int, int], Box]

# Without vectors torch fuses nothing: then it is no oracle for the last bit, and the golden images
# are the only one.
TORCH_FUSES = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

arithmetics = st.sampled_from(list(Arithmetic))


def grid_by(arithmetic: Arithmetic) -> Any:
    """torchvision's `_gen_affine_grid`, but for the product: in float64, rounded where told."""

    def make(theta: torch.Tensor, w: int, h: int, ow: int, oh: int) -> torch.Tensor:
        x, y = (torch.linspace(-n * 0.5 + 0.5, n * 0.5 + 0.5 - 1, n).numpy() for n in (ow, oh))
        scaled = (theta.transpose(1, 2) / torch.tensor([0.5 * w, 0.5 * h]))[0].numpy()
        across, down = x[None, :, None] * scaled[0], y[:, None, None].astype(np.float64) * scaled[1]
        if arithmetic is Arithmetic.AVX2:
            down = down.astype(np.float32)
        # float64 holds such products whole; their sum is rounded twice, which once in 2^29 shows
        return torch.from_numpy((across + down).astype(np.float32))[None]

    return make


@contextmanager
def by(arithmetic: Arithmetic) -> Iterator[None]:
    with mock.patch.object(_functional_tensor, "_gen_affine_grid", grid_by(arithmetic)):
        yield


def torchvision_chain(
    image: Image.Image, angle: float, box: Box, side: int = 224
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    tensor = F.rotate(F.to_tensor(image.convert("RGB")), angle)
    tensor = F.resized_crop(tensor, *box, size=[side, side], antialias=True)
    return np.asarray(F.to_pil_image(tensor))


def assert_torchvisions(found: Any, expected: Any) -> None:
    """The same bytes; where torch fuses nothing, about the same picture."""
    if TORCH_FUSES:
        assert found.tobytes() == expected.tobytes()
    elif min(found.shape[:2]) >= 100:
        assert np.abs(found.astype(int) - expected.astype(int)).mean() <= 8


def logged_crop(angle: float, box: Box) -> Augmentation:
    return Augmentation(
        geometry=Geometry.CROP,
        aug_level=1,
        angle=angle,
        crop_top=box[0],
        crop_left=box[1],
        crop_height=box[2],
        crop_width=box[3],
    )


sides = st.one_of(st.integers(1, 40), st.integers(1, 700))


def start(draw: st.DrawFn, length: int, part: int) -> int:
    """Where a part of a side starts; at a border often."""
    return draw(st.one_of(st.sampled_from([0, length - part]), st.integers(0, length - part)))


@st.composite
def crops(draw: st.DrawFn) -> Case:
    """A size, and a crop inside it, mostly square; borders and whole sides are drawn often."""
    width, height = draw(sides), draw(sides)
    shorter = min(width, height)
    crop_height = draw(st.one_of(st.just(shorter), st.integers(1, shorter)))
    crop_width = draw(st.one_of(st.just(crop_height), st.integers(1, width)))
    top, left = start(draw, height, crop_height), start(draw, width, crop_width)
    return (width, height), (top, left, crop_height, crop_width)


angles = st.one_of(
    st.sampled_from([0.0, -0.0, 20.0, -20.0, 45.0, 90.0, 180.0, 1e-7]), st.floats(-180, 180)
)


def level_1_equals_torchvision(case: Case, angle: float, seed: int, arithmetic: Arithmetic) -> None:
    size, box = case
    image = picture(size, seed=seed)
    rebuilt = augment(image, logged_crop(angle, box), arithmetic=arithmetic)
    with by(arithmetic):
        assert_torchvisions(rebuilt, torchvision_chain(image, angle, box))


def hold(examples: int) -> None:
    law = given(crops(), angles, st.integers(0, 9), arithmetics)(level_1_equals_torchvision)
    settings(max_examples=examples, deadline=None)(law)()


def test_level_1_equals_torchvision_for_any_size_angle_and_crop() -> None:
    hold(200)


@pytest.mark.slow
def test_level_1_equals_torchvision_ten_thousand_times() -> None:
    hold(10_000)


def local_torchvision_is_one_of_both(case: Case, angle: float) -> None:
    """Whatever library multiplies matrices here: pictures that are not tiny, as logs name them."""
    size, box = case
    image = picture(size)
    there = torchvision_chain(image, angle, box).astype(int)
    differences = [
        np.abs(augment(image, logged_crop(angle, box), arithmetic=a).astype(int) - there)
        for a in Arithmetic
    ]
    # one grey level in a few values, where a pixel next to a boundary falls to the other side
    assert min(np.count_nonzero(one) for one in differences) <= there.size // 50
    assert all(one.mean() <= 1 for one in differences)


def test_this_machines_torchvision_gives_about_the_same() -> None:
    given(
        st.tuples(st.integers(300, 900), st.integers(300, 900)).map(
            lambda size: (size, (10, 20, 240, 240))
        ),
        st.floats(-20, 20),
    )(settings(max_examples=20, deadline=None)(local_torchvision_is_one_of_both))()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_level_1_equals_torchvision_in_any_mode(mode: str) -> None:
    image, box = picture((301, 203), mode), (3, 97, 199, 199)
    with by(Arithmetic.AVX2):
        expected = torchvision_chain(image, 7.3, box)
    assert_torchvisions(augment(image, logged_crop(7.3, box)), expected)


@pytest.mark.parametrize("arithmetic", Arithmetic)
@pytest.mark.parametrize("size", [(1920, 1080), (4032, 3024), (1023, 767), (5000, 4000)])
def test_level_1_equals_torchvision_at_the_sizes_of_the_data_set(
    size: tuple[int, int], arithmetic: Arithmetic
) -> None:
    image = picture(size)
    rng = np.random.default_rng(size[0])
    for angle in rng.uniform(-20, 20, 2):
        side = int(rng.integers(min(size) // 2, min(size)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in size[::-1])
        box = (top, left, side, side)
        with by(arithmetic):
            expected = torchvision_chain(image, float(angle), box)
        logged = logged_crop(float(angle), box)
        assert_torchvisions(augment(image, logged, arithmetic=arithmetic), expected)


@pytest.mark.parametrize("side", [1, 97, 224, 448, 700])
def test_another_side_equals_torchvision_at_that_side(side: int) -> None:
    image, box = picture((640, 403)), (5, 131, 391, 391)
    rebuilt = augment(image, logged_crop(-11.7, box), side)
    assert rebuilt.shape == (side, side, 3)
    with by(Arithmetic.AVX2):
        assert_torchvisions(rebuilt, torchvision_chain(image, -11.7, box, side))
    centre = F.resize(F.center_crop(image, [403, 403]), [side, side])
    level_0 = Augmentation(geometry=Geometry.CROP, aug_level=0)
    assert augment(image, level_0, side).tobytes() == np.asarray(centre).tobytes()


def logged_letterbox(width: int, height: int, **changes: Any) -> Augmentation:
    """What a validator of era E9 logs for a picture of this size; it holds a pixel at least."""
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    left, top = (224 - new_width) // 2, (224 - new_height) // 2
    return Augmentation(
        geometry=Geometry.LETTERBOX,
        letterbox_scale=scale,
        letterbox_height=new_height,
        letterbox_width=new_width,
        letterbox_padding=(left, top, 224 - new_width - left, 224 - new_height - top),
        **changes,
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), angles, arithmetics)
def test_letterbox_equals_torchvision_for_any_shape(
    width: int, height: int, angle: float, arithmetic: Arithmetic
) -> None:
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    if not (new_height and new_width):
        return
    image = picture((width, height))
    logged = logged_letterbox(width, height, aug_level=1, angle=angle)
    boxed = F.pad(F.resize(image, [new_height, new_width]), list(logged.letterbox_padding or ()))
    with by(arithmetic):
        turned = F.to_pil_image(F.rotate(F.to_tensor(boxed), angle))
    assert_torchvisions(augment(image, logged, arithmetic=arithmetic), np.asarray(turned))


@pytest.mark.parametrize("size", [(640, 403), (403, 640), (900, 5), (333, 333)])
@pytest.mark.parametrize("side", [1, 97, 448])
def test_a_letterbox_at_another_side_scales_its_edges(size: tuple[int, int], side: int) -> None:
    image = Image.new("RGB", size, "white")
    logged = logged_letterbox(*size, aug_level=0)
    lit = augment(image, logged, side)[..., 0] == 255
    assert lit.shape == (side, side)
    left, top, right, bottom = logged.letterbox_padding or ()
    for axis, (before, after) in ((0, (left, right)), (1, (top, bottom))):
        (found,) = np.nonzero(lit.any(axis=axis))
        assert abs(found[0] - before * side / 224) <= 1
        assert abs(side - 1 - found[-1] - after * side / 224) <= 1
        assert len(found) == found[-1] - found[0] + 1


def test_a_letterbox_at_another_side_is_padded_before_it_is_turned() -> None:
    image, side = picture((640, 403)), 448
    still = augment(image, logged_letterbox(640, 403, aug_level=0), side)
    with by(Arithmetic.AVX2):
        turned = F.to_pil_image(F.rotate(F.to_tensor(Image.fromarray(still)), 13.0))
    logged = logged_letterbox(640, 403, aug_level=1, angle=13.0)
    assert_torchvisions(augment(image, logged, side), np.asarray(turned))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500), st.integers(1, 1500), angles, arithmetics)
def test_the_grid_is_that_of_a_matrix_product_of_the_whole_frame(
    height: int, width: int, angle: float, arithmetic: Arithmetic
) -> None:
    turn = _functional_matrix(angle)
    expected = grid_by(arithmetic)(turn, width, height, width, height)[0].numpy()
    frame = frame_grid(angle, height, width, arithmetic)
    # float64 holds such a product whole, so that this is a fused operation
    products = frame.rows.astype(np.float64) * frame.slopes[:, None]
    places = (frame.columns[:, None, :] + products[:, :, None]).astype(np.float32)
    assert np.array_equal(places.transpose(1, 2, 0), expected)


def _functional_matrix(angle: float) -> torch.Tensor:
    """torchvision's, as `rotate` makes it: (1, 2, 3)."""
    found = F._get_inverse_affine_matrix([0.0, 0.0], -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return torch.tensor(found).reshape(1, 2, 3)


@given(st.one_of(angles, st.floats(-360, 360)))
def test_sine_and_cosine_are_the_c_librarys_to_the_last_bit_but_one(angle: float) -> None:
    turn = np.radians(-angle)
    for found, expected in zip(
        cosine_and_sine(float(turn)), (np.cos(turn), np.sin(turn)), strict=True
    ):
        assert abs(found - expected) <= np.spacing(abs(expected))


def test_sine_and_cosine_are_rounded_once() -> None:
    """Known to more digits than float64 holds (Abramowitz and Stegun, table 4.6: of 1 radian)."""
    assert cosine_and_sine(1.0) == (0.54030230586813971740, 0.84147098480789650665)
    assert cosine_and_sine(0.0) == (1.0, 0.0)


@pytest.mark.parametrize("length", [1, 2, 97, 224, 1023, 1024, 4032])
def test_places_next_to_a_boundary_round_as_grid_sample_rounds_them(length: int) -> None:
    """Within 4 float32 steps of all boundaries of pixels; halves go to the even neighbour."""
    boundaries = 2 * torch.arange(1, length, dtype=torch.float64) / length - 1
    places = (boundaries + torch.arange(-4, 5)[:, None] * 2.0**-24).float().flatten()
    line = torch.arange(float(length))[None, None, None]
    grid = torch.stack((places, torch.zeros_like(places)), dim=-1)[None, None]
    expected = torch.nn.functional.grid_sample(line, grid, mode="nearest", align_corners=False)
    half = np.float32(length / 2)
    found = np.array([nearest_pixel(place, half) for place in places.numpy()], np.float32)
    differing = np.count_nonzero(found != expected.flatten().numpy())
    assert differing == 0 or not TORCH_FUSES
    assert np.abs(found - expected.flatten().numpy()).max(initial=0) <= 1


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700))
def test_weights_are_torchs_own(length: int, resized: int) -> None:
    """Seen in what torch makes of a single 1 among zeros, which nothing rounds."""
    ours = resize_weights(length, resized)
    period = len(ours.by_output)
    held = torch.arange(length) % period == torch.arange(period)[:, None]
    lines = held.float()[None, None]
    sized = torch.nn.functional.interpolate(
        lines, (period, resized), mode="bilinear", align_corners=False, antialias=True
    )
    assert np.array_equal(ours.by_output, sized[0, 0].numpy())


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700), st.integers(0, 9))
def test_a_side_is_resized_as_torch_resizes_it(length: int, side: int, seed: int) -> None:
    """Floats, before the 255 levels of a pixel hide most of what is rounded otherwise."""
    noise = np.random.default_rng(seed).integers(0, 256, (7, length, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    found = crop_values(image, 0.0, (0, 0, 7, length), (7, side), Arithmetic.AVX2)
    values: torch.Tensor = F.resize(F.to_tensor(image), [7, side], antialias=True)
    expected: Floats = values.permute(1, 2, 0).numpy()
    assert np.array_equal(found, expected) or not TORCH_FUSES
    assert np.allclose(found, expected, atol=1e-5)
