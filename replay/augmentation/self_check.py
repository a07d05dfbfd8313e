"""Checks that this machine computes images as the validator's libraries did.

What depends on a processor is computed by loops of our own. The rest is Pillow's and OpenCV's
integer arithmetic, the same on every processor tried. Other builds may still differ, and Numba
compiles anew for each processor. So every process compares all of them with stored hashes, on small
images, before it rebuilds any.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from data.errors import RunError
from replay.augmentation.augment import SIDE
from replay.augmentation.distortions import (
    BLUR_KERNELS,
    CHROMA_FACTORS,
    SHRINK_FACTORS,
    blocks,
    blur,
    saturation,
)
from replay.augmentation.pillow_resize import resized_square
from replay.augmentation.rotation import crop_values
from replay.image_regions.frames import DecodedFrame, SourceFrame
from replay.settings import Arithmetic

Pixels = npt.NDArray[np.uint8]

# Height and width of the test images; the last is rotated differently by the two arithmetics.
_SIZES = ((61, 97), (260, 181), (333, 517))
_ANGLE, _RESIZED = 20.0, 100

KNOWN_DIGESTS: Mapping[str, str] = {
    "Pillow's resize": "d782f4cc2da3279e",
    "Pillow's JPEG": "ef5ec259bdcc90bd",
    "OpenCV's resize": "c6079a2ea775f583",
    "OpenCV's blur": "a5ad094b539778e7",
    "the loops of resizing": "3cf128e0ae3df276",
    "a part of a JPEG": "e9bdb121ee30351d",
    "the loops of colours": "d8e4e4cc7a92ebe9",
    "the loops of rotation, avx2": "04188f5ad26be5ac",
    "the loops of rotation, avx512": "03a6759b0d115e96",
}
"""The start of the SHA-256 of each result, on a machine that builds all golden images equal."""

_DIGITS = 16


@cache
def check_this_machine() -> None:
    """Check this machine's image arithmetic, once a process: about 60 milliseconds.

    Raises:
        RunError: a result is not the known one.
    """
    for name, digest in computed_digests().items():
        if digest != KNOWN_DIGESTS[name]:
            raise RunError(
                f"{name} on this machine",
                found=f"an answer ({digest}) with which images are not the validator's",
                expected=KNOWN_DIGESTS[name],
                remedy="install the versions that were tested: constraints.txt",
            )


def computed_digests() -> dict[str, str]:
    """The same digests as this machine computes them."""
    frames = [_noise(height, width) for height, width in _SIZES]
    sent = _noise(SIDE, SIDE)
    digests = {
        "Pillow's resize": _digest([_resized(frame) for frame in frames]),
        "Pillow's JPEG": _digest([_through_jpeg(frame) for frame in frames]),
        "OpenCV's resize": _digest([blocks(sent, level) for level in SHRINK_FACTORS]),
        "OpenCV's blur": _digest([blur(sent, level) for level in BLUR_KERNELS]),
        "the loops of resizing": _digest([_resized_square(frame) for frame in frames]),
        "a part of a JPEG": _digest([_part_of_jpeg(frame) for frame in frames]),
        "the loops of colours": _digest([saturation(sent, level) for level in CHROMA_FACTORS]),
    }
    for arithmetic in Arithmetic:
        rotated = [_rotated(frame, arithmetic) for frame in frames]
        digests[f"the loops of rotation, {arithmetic}"] = _digest(rotated)
    return digests


def _noise(height: int, width: int) -> Pixels:
    """A noise image (height, width, 3), from a hash, which no release of a library changes."""
    content = hashlib.shake_256(f"{height} x {width}".encode()).digest(height * width * 3)
    # writable: loops are compiled anew for arrays that are not
    return np.frombuffer(content, np.uint8).reshape(height, width, 3).copy()


def _resized(frame: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _resized_square(frame: Pixels) -> Pixels:
    shorter = min(frame.shape[:2])
    return resized_square(DecodedFrame(Image.fromarray(frame)), (0, 0, shorter, shorter), SIDE)


def _through_jpeg(frame: Pixels) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(_jpeg(frame))))


def _part_of_jpeg(frame: Pixels) -> npt.NDArray[np.uint8]:
    """The middle third of a JPEG in both directions, decoded without the rest."""
    height, width, _ = frame.shape
    left, top, right, bottom = width // 3, height // 3, 2 * width // 3, 2 * height // 3
    part = SourceFrame(_jpeg(frame), from_cache=True).part((left, top, right, bottom))
    words = part.words[top - part.top : bottom - part.top, left - part.left : right - part.left]
    return np.stack([(words >> shift & 0xFF).astype(np.uint8) for shift in (0, 8, 16)], axis=-1)


def _jpeg(frame: Pixels) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(frame).save(encoded, format="JPEG")
    return encoded.getvalue()


def _rotated(frame: Pixels, arithmetic: Arithmetic) -> npt.NDArray[np.float32]:
    height, width, _ = frame.shape
    box = (0, 0, height, width)
    return crop_values(
        DecodedFrame(Image.fromarray(frame)), _ANGLE, box, (_RESIZED, _RESIZED), arithmetic
    )


def _digest(arrays: Sequence[npt.NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:_DIGITS]
