"""Decode a part of a JPEG, without what libjpeg would have to do for the rest of the image.

The MCUs of the part, and of a margin around it, become a smaller JPEG with the same tables, which
Pillow decodes: the same libjpeg computes the same pixels from the same coefficients. The margin is
one MCU on every side, since libjpeg blends the colours of neighbouring blocks where they are
subsampled (`jdsample.c`, fancy upsampling).
"""

import numpy as np
from PIL import Image

from data.errors import SourceError
from data.sources.cached_image import decoded
from replay.image_regions.huffman_tables import HuffmanTables, huffman_tables
from replay.image_regions.jpeg_header import JpegHeader, read_header
from replay.image_regions.mcu_copy import ROW_BYTES, copy_box
from replay.image_regions.mcu_positions import add_rows
from replay.image_regions.scan_bits import Scan, unstuffed

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels or MCUs; the latter two are outside."""

_END_OF_IMAGE = b"\xff\xd9"
_MOST_BYTES = 2**27  # positions in bits are 32-bit integers


class CannotDecodePartError(Exception):
    """Only the whole image can be decoded, if that."""


class BaselineJpeg:
    """A JPEG of which parts are decoded; its scan is walked through as far down as they reach."""

    def __init__(self, raw: bytes) -> None:
        """Take a file's bytes.

        Raises:
            CannotDecodePartError: it is of another kind, or something is amiss.
        """
        header = read_header(raw) if len(raw) < _MOST_BYTES else None
        if header is None:
            raise CannotDecodePartError
        tables = huffman_tables(header.dc_codes, header.ac_codes)
        words = np.zeros((len(raw) - header.scan_start) // 4 + 3, np.uint32)
        length = unstuffed(np.frombuffer(raw, np.uint8), header.scan_start, words)
        if tables is None or length < 0:
            raise CannotDecodePartError
        self._header: JpegHeader = header
        self._tables: HuffmanTables = tables
        self._scan = Scan(words, length)
        self._columns = -(-header.width // header.mcu_width)
        self._rows = -(-header.height // header.mcu_height)
        self._blocks = np.array(header.block_components, np.int64)
        shape = (self._rows, self._columns + 1, 1 + len(header.dc_codes))
        self._positions = np.empty(shape, np.int32)
        self._known = 0  # rows whose positions are filled in

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._header.width, self._header.height

    def around(self, box: Box) -> tuple[Image.Image, tuple[int, int]]:
        """An image that holds a box as Pillow decodes it, and where its own left top corner lies.

        Its pixels outside the box need not be those of the whole image.

        Args:
            box: inside the image.

        Raises:
            CannotDecodePartError: something is amiss in the scan.
        """
        across, down = self._header.mcu_width, self._header.mcu_height
        left, top = max(box[0] // across - 1, 0), max(box[1] // down - 1, 0)
        right, width = _end(box[2], across, self._columns, self._header.width)
        bottom, height = _end(box[3], down, self._rows, self._header.height)
        x, y = left * across, top * down
        width, height = width - x, height - y
        scan = self._scan_of((left, top, right, bottom))
        jpeg = self._header.of_size(width, height) + scan + _END_OF_IMAGE
        try:
            image = decoded(jpeg)
        except SourceError:
            raise CannotDecodePartError from None
        if image.size != (width, height):
            raise CannotDecodePartError
        return image, (x, y)

    def _scan_of(self, box: Box) -> bytes:
        left, top, right, bottom = box
        if bottom > self._known:
            rows = (self._known, bottom)
            if not add_rows(self._scan, self._tables, self._blocks, self._positions, rows):
                raise CannotDecodePartError
            self._known = bottom
        begins, ends = self._positions[top:bottom, left, 0], self._positions[top:bottom, right, 0]
        room = int((ends - begins).sum(dtype=np.int64)) // 4 + ROW_BYTES * (bottom - top)
        copied = np.empty(room, np.uint8)
        count = copy_box(self._scan, self._tables, self._blocks, self._positions, box, copied)
        if count < 0:
            raise CannotDecodePartError
        return copied[:count].tobytes()


def _end(end: int, mcu: int, count: int, length: int) -> tuple[int, int]:
    """Where a part ends, in MCUs and in pixels, along a side of `count` MCUs and `length` pixels.

    Of the margin's MCUs a single sample of each component is enough: an eighth of their pixels.
    """
    last = -(-end // mcu) + 1
    return (count, length) if last >= count else (last, (last - 1) * mcu + mcu // 8)
