"""Read the header of a JPEG, where it is of the kind whose scan `mcu_positions` can walk through.

That is what Pillow and most cameras write: sequential Huffman coding, 8 bits a sample, grey or
three components in one scan, no restart markers (ITU-T T.81, annex B). A JPEG of another kind, or
one with anything amiss, is decoded whole: nobody needs to know why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_START = b"\xff\xd8"
_MARKER = 0xFF
_FRAMES: Final = frozenset({0xC0, 0xC1})  # baseline and extended sequential, Huffman
_HUFFMAN, _QUANTISATION, _RESTART, _SCAN, _COMMENT = 0xC4, 0xDB, 0xDD, 0xDA, 0xFE
_JFIF, _ADOBE = 0xE0, 0xEE  # these say which colours the components are
_APPLICATION = range(0xE0, 0xF0)

_BLOCK = 8
_LENGTH_BYTES = 2
_FRAME_BYTES, _COMPONENT_BYTES = 6, 3
_SIZE_AT = 5  # where a frame segment has its height and width
_COUNT_BYTES = 16
_COMPONENT_COUNTS = (1, 3)
_SAMPLING = range(1, 5)
_MOST_BLOCKS = 10  # of an MCU (T.81, B.2.3)
_WHOLE_SPECTRUM = bytes((0, 63, 0))


class _AnotherKindError(Exception):
    pass


@dataclass(frozen=True)
class JpegHeader:
    """What it takes to walk through a scan, and to write another image with the same tables."""

    width: int
    height: int
    mcu_width: int
    """Pixels of a minimum coded unit (MCU): a scan is a sequence of them, row by row."""
    mcu_height: int
    block_components: tuple[int, ...]
    """The component of each block of an MCU, in the scan's order."""
    dc_codes: tuple[bytes, ...]
    """The Huffman codes of each component: 16 counts by length, then the symbols in order."""
    ac_codes: tuple[bytes, ...]
    before_size: bytes
    """The header as far as pixels depend on it, up to its height and width."""
    after_size: bytes
    scan_start: int
    """Where the scan's first byte lies in the file."""

    def of_size(self, width: int, height: int) -> bytes:
        """The header of an image that differs in nothing but its size in pixels."""
        size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
        return self.before_size + size + self.after_size


def read_header(raw: bytes) -> JpegHeader | None:
    """The header of a JPEG, or None where its scan is not to be walked through."""
    try:
        return _read(raw)
    except (_AnotherKindError, IndexError):
        return None


def _read(raw: bytes) -> JpegHeader:
    kept, before_frame = [_START], 0
    frame, codes = b"", dict[int, bytes]()
    end = len(_START)
    for marker, segment in _segments(raw):
        end += len(segment)
        body = segment[2 + _LENGTH_BYTES :]
        if marker in _FRAMES:
            _require(not frame)
            frame, before_frame = body, sum(map(len, kept))
        elif marker == _HUFFMAN:
            codes |= _codes(body)
        elif marker == _RESTART:
            _require(not any(body))
        elif marker not in {_QUANTISATION, _SCAN, _JFIF, _ADOBE}:
            _require(marker in _APPLICATION or marker == _COMMENT)
            continue
        kept.append(segment)
    header = b"".join(kept)
    at = before_frame + _SIZE_AT
    height, width = (int.from_bytes(frame[i : i + 2], "big") for i in (1, 3))
    identifiers, sampling = _components(frame)
    tables = _scan_tables(body, identifiers)
    _require(height > 0 and width > 0)
    if len(sampling) == 1:
        sampling = [(1, 1)]  # a single component's blocks follow each other whatever its sampling
    blocks = [h * v for h, v in sampling]
    _require(sum(blocks) <= _MOST_BLOCKS)
    return JpegHeader(
        width,
        height,
        mcu_width=_BLOCK * max(h for h, _ in sampling),
        mcu_height=_BLOCK * max(v for _, v in sampling),
        block_components=tuple(c for c, count in enumerate(blocks) for _ in range(count)),
        dc_codes=tuple(codes.get(dc, b"") for dc, _ in tables),
        ac_codes=tuple(codes.get(0x10 | ac, b"") for _, ac in tables),
        before_size=header[:at],
        after_size=header[at + 4 :],
        scan_start=end,
    )


def _segments(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers and their segments, marker and length included, up to that of the scan."""
    _require(raw[:2] == _START)
    position, marker = len(_START), 0
    while marker != _SCAN:
        _require(raw[position] == _MARKER)
        marker = raw[position + 1]
        length = int.from_bytes(raw[position + 2 : position + 4], "big")
        segment = raw[position : position + 2 + length]
        _require(length >= _LENGTH_BYTES and len(segment) == 2 + length)
        yield marker, segment
        position += len(segment)


def _components(frame: bytes) -> tuple[list[int], list[tuple[int, int]]]:
    """Each component's identifier, and its horizontal and vertical sampling factors."""
    _require(frame[0] == 8)  # noqa: PLR2004  (bits a sample)
    count = frame[5]
    _require(count in _COMPONENT_COUNTS and len(frame) == _FRAME_BYTES + _COMPONENT_BYTES * count)
    described = [frame[at : at + 2] for at in range(_FRAME_BYTES, len(frame), _COMPONENT_BYTES)]
    sampling = [(factors >> 4, factors & 15) for _, factors in described]
    _require(all(h in _SAMPLING and v in _SAMPLING for h, v in sampling))
    return [identifier for identifier, _ in described], sampling


def _scan_tables(scan: bytes, identifiers: list[int]) -> list[tuple[int, int]]:
    """The numbers of each component's DC and AC table; the scan must hold them all, in order."""
    count = len(identifiers)
    _require(len(set(identifiers)) == count and scan[0] == count)
    _require(scan[1:-3:2] == bytes(identifiers) and scan[-3:] == _WHOLE_SPECTRUM)
    return [(tables >> 4, tables & 15) for tables in scan[2:-3:2]]


def _codes(body: bytes) -> dict[int, bytes]:
    """The Huffman codes of a segment by class and number of their table."""
    codes = {}
    position = 0
    while position < len(body):
        counts = body[position + 1 : position + 1 + _COUNT_BYTES]
        end = position + 1 + _COUNT_BYTES + sum(counts)
        _require(len(counts) == _COUNT_BYTES and end <= len(body))
        codes[body[position]] = body[position + 1 : end]
        position = end
    return codes


def _require(condition: bool) -> None:
    if not condition:
        raise _AnotherKindError
