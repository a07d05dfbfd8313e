"""JPEGs of every kind, as Pillow and OpenCV write them, and damage to them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from PIL import Image

from data.errors import SourceError
from replay.image_regions.baseline_jpeg import Box
from replay.image_regions.frames import Frame
from tests.worlds.stores import encoded

Pixels = npt.NDArray[np.uint8]

# Sampling factors of luma and of both colours, which Pillow cannot write all of.
OPENCV_FACTORS = {
    "4:4:4": 0x111111,
    "4:2:2": 0x211111,
    "4:2:0": 0x221111,
    "4:4:0": 0x121111,
    "4:1:1": 0x411111,
}


def photograph(size: tuple[int, int], seed: int, mode: str = "RGB") -> Image.Image:
    """Smooth colours under noise, whose blocks take few bits here and many there."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    noise = rng.normal(0, 25, (height, width, 1)) * (np.arange(width)[:, None] % 64 < 32)
    noisy = np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).convert(mode)


def by_opencv(image: Image.Image, sampling: str, *options: int) -> bytes:
    factors = OPENCV_FACTORS[sampling]
    settings = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factors, *options]
    return bytes(cv2.imencode(".jpg", np.asarray(image.convert("RGB")), settings)[1])


def by_pillow(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "JPEG", **options)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


# Kinds that are decoded in part, and such as are not.
PARTLY: dict[str, Callable[[Image.Image], bytes]] = {
    "a cache's own": by_pillow,
    "grey": lambda image: by_pillow(image.convert("L")),
    "best quality": lambda image: by_pillow(image, quality=100, subsampling=0),
    "worst quality": lambda image: by_pillow(image, quality=1),
    "Huffman codes of its own": lambda image: by_pillow(image, optimize=True),
    "turned by EXIF, with a comment": lambda image: by_pillow(image, exif=_exif(), comment="x"),
    **{kind: partial(by_opencv, sampling=kind) for kind in OPENCV_FACTORS},
}
WHOLLY: dict[str, Callable[[Image.Image], bytes]] = {
    "progressive": lambda image: by_pillow(image, progressive=True),
    "restart markers": lambda image: by_pillow(image, restart_marker_blocks=3),
    "CMYK": lambda image: by_pillow(image.convert("CMYK")),
    "PNG": lambda image: encoded(image, "PNG"),
}


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> Box:
    """A box inside an image, often at its borders."""
    (left, right), (top, bottom) = (
        sorted(draw(st.lists(st.integers(0, length), min_size=2, max_size=2, unique=True)))
        for length in size
    )
    return left, top, right, bottom


def part_pixels(frame: Frame, box: Box) -> Pixels:
    """The pixels of a box, (h, w, 3)."""
    words, left, top = frame.part(box)
    shown = words[box[1] - top : box[3] - top, box[0] - left : box[2] - left]
    return np.ascontiguousarray(shown).view(np.uint8).reshape(*shown.shape, 4)[..., :3]


def outcome(decode: Callable[[], Pixels]) -> Pixels | str:
    """The pixels, or the error's text."""
    try:
        return decode()
    except SourceError as error:
        return str(error)


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bits and bytes turned, taken out or put in, the end cut off, or an end put in."""
    scan = max(raw.find(b"\xff\xda"), 0)
    at = int(rng.integers(scan if rng.random() < 0.7 else 0, len(raw)))
    few = int(rng.integers(1, 30))
    inserted = rng.integers(0, 256, few, dtype=np.uint8).tobytes()
    turned = bytes([raw[at] ^ 1 << int(rng.integers(8))])
    return [
        raw[:at],
        raw[:at] + b"\xff\xd9",
        raw[:at] + turned + raw[at + 1 :],
        raw[:at] + inserted + raw[at:],
        raw[:at] + inserted + raw[at + few :],
        raw[:at] + raw[at + few :],
        raw[:at] + b"\xff" + raw[at + 1 :],
    ][int(rng.integers(7))]
