"""Source images of which parts are asked for: decoded no further than that, where it can be."""

from typing import Protocol

from PIL import Image

from data.errors import SourceError
from data.sources.cached_image import cached_image, decoded, opened, saved_and_decoded
from replay.image_regions.baseline_jpeg import BaselineJpeg, Box, CannotDecodePartError
from replay.image_regions.pixel_words import Part, pixel_words

_MODES = frozenset({"L", "RGB"})  # decoded in part
_LONGEST_SIDE = 65500  # libjpeg encodes no longer one, and no part of what it would refuse

# Of the JPEG in a validator's cache: 4:2:0, and colours are blended across its MCUs' edges.
_MCU = 16


class Frame(Protocol):
    """An image of which parts are asked for."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def part(self, box: Box) -> Part:
        """The RGB pixels of a box inside the frame.

        Raises:
            SourceError: neither they nor the whole can be decoded.
        """

    def whole(self) -> Image.Image:
        """The whole image, in its own mode; not to be changed.

        Raises:
            SourceError: it cannot be decoded.
        """


class DecodedFrame:
    """A frame that is decoded."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._image.size

    def part(self, box: Box) -> Part:
        """The RGB pixels of a box."""
        return Part(pixel_words(self._image.crop(box)), *box[:2])

    def whole(self) -> Image.Image:
        """The whole image."""
        return self._image


class SourceFrame:
    """A validator's cached image, made from a source row's file or read from the cache's own.

    A part has the pixels of the whole image, and raises an error only where decoding the whole
    would: a scan that ends as it should can be decoded to its end, and where anything is amiss, the
    whole is decoded instead.
    """

    def __init__(self, raw: bytes, *, from_cache: bool) -> None:
        """Take a file's bytes.

        Those of a source row are encoded again first, as the validator did for its cache.

        Raises:
            SourceError: the bytes are no image, or one of more pixels than Pillow deems safe.
        """
        self._raw, self._from_cache = raw, from_cache
        image = opened(raw)
        self.size = image.size
        """Width and height in pixels."""
        self._whole: DecodedFrame | None = None
        self._jpeg: BaselineJpeg | None = None
        small = from_cache or max(image.size) <= _LONGEST_SIDE
        if image.format == "JPEG" and image.mode in _MODES and small:
            self._jpeg = _baseline(raw, image.size)

    def part(self, box: Box) -> Part:
        """The RGB pixels of a box.

        Raises:
            SourceError: the image cannot be decoded.
        """
        if self._jpeg is not None and self._whole is None:
            try:
                return _decoded(self._jpeg, box) if self._from_cache else _cached(self._jpeg, box)
            except (CannotDecodePartError, SourceError):
                self._jpeg = None
        return self._decoded_whole().part(box)

    def whole(self) -> Image.Image:
        """The whole image, in its own mode; it stays in memory, and parts are then taken from it.

        Raises:
            SourceError: it cannot be decoded.
        """
        return self._decoded_whole().whole()

    def _decoded_whole(self) -> DecodedFrame:
        if self._whole is None:
            decode = decoded if self._from_cache else cached_image
            self._whole = DecodedFrame(decode(self._raw))
            self._jpeg = None
        return self._whole


def _baseline(raw: bytes, size: tuple[int, int]) -> BaselineJpeg | None:
    try:
        jpeg = BaselineJpeg(raw)
    except CannotDecodePartError:
        return None
    return jpeg if jpeg.size == size else None


def _decoded(jpeg: BaselineJpeg, box: Box) -> Part:
    image, corner = jpeg.around(box)
    return Part(pixel_words(image), *corner)


def _cached(jpeg: BaselineJpeg, box: Box) -> Part:
    """A box of the image encoded again: its blocks are the same whatever surrounds them."""
    x, y = (max(start // _MCU - 1, 0) * _MCU for start in box[:2])
    right, bottom = (
        min((-(-end // _MCU) + 1) * _MCU, length)
        for end, length in zip(box[2:], jpeg.size, strict=True)
    )
    image, (left, top) = jpeg.around((x, y, right, bottom))
    again = saved_and_decoded(image.crop((x - left, y - top, right - left, bottom - top)), "JPEG")
    return Part(pixel_words(again), x, y)
