"""The identity of a challenge: a hash of its content, equal for every form in which a log holds it.

Key order and white space do not matter, 1 equals 1.0, and NaN equals null. The long lists of
numbers are hashed as float64 rather than as text, which is most of what a fast reader's time is.
"""

import hashlib
import json
import math
import sys
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

NUMBER_LISTS = (
    "predictions",
    "rewards",
    "miner_image_accuracy",
    "miner_image_precision",
    "miner_image_recall",
    "miner_image_f1_score",
    "miner_image_mcc",
    "miner_image_auc",
    "scores",
)
"""Keys of lists that are hashed as numbers, in the order in which they are."""

_ID_DIGITS = 16
_NUMBERS = frozenset({int, float, type(None)})


def content_id(record: Mapping[str, Any]) -> str:
    """The id of a record whose whole numbers are int and whose other numbers are finite."""
    packed = {key: _packed(record.get(key)) for key in NUMBER_LISTS}
    numbers = {key: values for key, values in packed.items() if values is not None}
    rest = {key: value for key, value in record.items() if key not in numbers}
    sizes = number_sizes(
        (key, len(values) // array("d").itemsize) for key, values in numbers.items()
    )
    return id_of_parts(canonical_json(rest), sizes, b"".join(numbers.values()))


def number_sizes(sizes: Iterable[tuple[str, int]]) -> bytes:
    """Which lists of numbers a record holds, in the order of `NUMBER_LISTS`, and how long."""
    return ",".join(f"{key}:{size}" for key, size in sizes).encode()


def id_of_parts(rest: bytes, sizes: bytes, numbers: bytes) -> str:
    """The id of a record in three parts.

    Args:
        rest: `canonical_json` of all that is no list of numbers.
        sizes: `number_sizes` of the lists.
        numbers: the lists one after another, little-endian float64; no -0.0.
    """
    return hashlib.sha256(b"\0".join((rest, sizes, numbers))).hexdigest()[:_ID_DIGITS]


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys; the text that a value has depends on nothing but the value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _packed(value: object) -> bytes | None:
    """A list of numbers as float64, a null as NaN; None if it is no such list."""
    if not isinstance(value, list) or not _NUMBERS.issuperset(map(type, value)):
        return None
    try:
        # adding 0.0 makes 0.0 of -0.0
        numbers = array("d", [math.nan if item is None else item + 0.0 for item in value])
    except OverflowError:  # an integer beyond all floats
        return None
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
