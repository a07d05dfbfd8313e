"""Read a clean line of a JSON log fast; any surprise leaves the line to the strict reader.

A line is clean where `data.logs.json_logs` would read one whole challenge from it, without a
reject: both then give equal rows, which a test of mutated records holds. simdjson checks UTF-8 and
JSON, keeps lists of numbers as float64 without a Python object each, and refuses NaN, lone
surrogates and integers beyond 64 bits.
"""

import re
import sys
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import simdjson

from data.columnar.augmentation import augmentation_values
from data.columnar.clean_record import CleanRecord
from data.columnar.field_memory import ReadFields, TopFields
from data.columnar.metadata_memory import MetadataMemory, ReadMetadata, whole
from data.errors import RecordError
from data.records.content_id import NUMBER_LISTS, canonical_json, id_of_parts, number_sizes
from data.records.eras import ALL_EXPONENTS, Evidence, logged_geometry
from data.records.fields import undeclared
from data.records.media_record import MAX_UID
from data.records.not_media_record import is_history_row, refuse_other_forms
from data.records.types import Geometry

# A record of 256 uids has 12 kB; a much longer one is not worth a parser's memory.
_MOST_BYTES = 2**18
_MOST_ANSWERS = 256
_MOST_LAYOUTS = 256
_FLOAT64_BYTES = 8
# The last byte of a float64 below 2**113: the sign, and the upper bits of the exponent.
_NO_HUGE = bytes(byte for byte in range(256) if byte & 0x7F < 0x47)  # noqa: PLR2004
# Its last byte where it is -0.0, which is stored as 0.0.
_MINUS_ZERO = b"\x80"
# Of brackets, which are counted below, and of NUL, where simdjson takes a key to end.
_SURPRISING_ESCAPES = (b"\\u005", b"\\u0000")
# What is read as bytes of float64 below is that of such a machine.
_IS_LITTLE_ENDIAN = sys.byteorder == "little"
# What simdjson raises where JSON is broken, or a value is of another type than asked for.
_SURPRISES = (ValueError, TypeError, KeyError, AttributeError, RuntimeError, MemoryError)
_REQUIRED = frozenset({"label", "predictions", "rewards", "miner_uids", "miner_hotkeys"})
_WITHIN = frozenset({float, dict, list})
_INTEGERS, _TEXTS = frozenset({int}), frozenset({str})
_TEXTS_AND_NULLS: frozenset[type] = frozenset({str, type(None)})
# How simdjson writes a whole float64: 1.0, or 1e20.
_MAY_BE_WHOLE = re.compile(rb"\.0[],}]|\de")
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_METADATA, _PARAMETERS = "metadata", "data_aug_params"


class _Layout(NamedTuple):
    """The keys of a record: its lists of numbers in order, its other values, those no field holds.

    `fields` are the fields among them.
    """

    numbers: tuple[str, ...]
    rest: tuple[str, ...]
    undeclared: tuple[str, ...]
    fields: Any
    has_metadata: bool
    has_parameters: bool
    has_model_urls: bool
    has_source: bool
    without_level: bool


class CleanLineReader:
    """Reads lines of JSON logs; it remembers layouts and values of the lines before."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()
        self._top = TopFields()
        self._metadata = MetadataMemory()
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}

    def read(self, line: bytes, position: int) -> CleanRecord | None:
        """The record of a line, the log's at `position`; None if the line is not clean."""
        if len(line) > _MOST_BYTES or not _IS_LITTLE_ENDIAN:
            return None
        # one byte is found much faster than two
        if b"\\" in line and any(escape in line for escape in _SURPRISING_ESCAPES):
            return None
        try:
            return self._read(line, position)
        except _SURPRISES:
            return None

    def _read(self, line: bytes, position: int) -> CleanRecord | None:
        document: Any = self._parser.parse(line)
        kind: type = type(document)
        if kind is not simdjson.Object:
            return None
        keys = tuple(document)
        layout = self._layouts[keys] if keys in self._layouts else self._remember(keys)
        if layout is None:
            return None
        buffers = [document[key].as_buffer(of_type="d") for key in layout.numbers]
        rest: dict[str, Any] = {}
        for key in layout.rest:
            value = document[key]
            rest[key] = value if type(value) in _AS_THEY_ARE else _plain(value)
        metadata: ReadMetadata | None = self._metadata.none
        if layout.has_metadata:
            metadata = self._metadata.read(document[_METADATA])
        if metadata is None:
            return None
        if layout.has_metadata:
            rest[_METADATA] = metadata.fragment
        if layout.has_parameters:
            rest[_PARAMETERS] = _parameters(document[_PARAMETERS])
        text = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)
        if line.count(b"[") != text.count(b"[") + len(buffers):
            return None  # a list of numbers holds a list
        numbers = b"".join(buffers)
        if _MINUS_ZERO in numbers[_FLOAT64_BYTES - 1 :: _FLOAT64_BYTES]:
            numbers = (np.frombuffer(numbers) + 0.0).tobytes()
        sizes = tuple([buffer.size // _FLOAT64_BYTES for buffer in buffers])
        columns = self._top.read(layout.fields, rest)
        augmentation = augmentation_values(rest)
        if columns is None or augmentation is None or not _is_clean(rest, layout, sizes, numbers):
            return None
        uids: list[int] = rest["miner_uids"]
        level = rest.get("data_aug_level")
        # by position, which takes half as long as by name
        return CleanRecord(
            position,
            id_of_parts(text, _sizes_text(layout.numbers, sizes), numbers),
            rest["label"],
            _evidence(
                layout.without_level or rest.get("source") == "api",
                logged_geometry(rest.get(_PARAMETERS), level),
                layout.has_model_urls,
                layout.has_source,
                len(set(uids)) < len(uids),
                ALL_EXPONENTS,
            ),
            ReadFields(columns + metadata.fields.columns, metadata.fields.nulls),
            augmentation,
            layout.numbers,
            numbers,
            sizes[0],
            sizes[-1] if layout.numbers[-1] == "scores" else 0,
            uids,
            rest["miner_hotkeys"],
            rest.get("model_urls"),
            _other(layout, rest, metadata),
        )

    def _remember(self, keys: tuple[str, ...]) -> _Layout | None:
        """The layout of these keys; None where no record with them is clean."""
        layout = None
        if _is_of_record(keys):
            numbers = tuple(key for key in NUMBER_LISTS if key in keys)
            nested = (_METADATA, _PARAMETERS)
            layout = _Layout(
                numbers=numbers,
                rest=tuple(key for key in keys if key not in numbers and key not in nested),
                undeclared=tuple(undeclared(dict.fromkeys(keys, 1))),
                fields=self._top.among(keys),
                has_metadata=_METADATA in keys,
                has_parameters=_PARAMETERS in keys,
                has_model_urls="model_urls" in keys,
                has_source="source" in keys,
                without_level="task_id" in keys or "data_aug_level" not in keys,
            )
        if len(self._layouts) < _MOST_LAYOUTS:
            self._layouts[keys] = layout
        return layout


def _is_of_record(keys: tuple[str, ...]) -> bool:
    """Whether a record with these keys can be clean: all needed ones, none twice, none flat."""
    record = dict.fromkeys(keys)
    if len(record) < len(keys) or not _REQUIRED.issubset(record) or is_history_row(record):
        return False
    try:
        refuse_other_forms(record)
    except RecordError:
        return False
    return True


def _is_clean(
    rest: dict[str, Any], layout: _Layout, sizes: tuple[int, ...], numbers: bytes
) -> bool:
    """Whether a challenge's values are of the types, lengths and ranges that it must have."""
    count, answers = sizes[0], sizes
    if layout.numbers[-1] == "scores":
        scores, answers = sizes[-1], sizes[:-1]
        if not scores or _has_huge(numbers[-scores * _FLOAT64_BYTES :]):
            return False
    label, uids = rest["label"], rest["miner_uids"]
    return (
        0 < count <= _MOST_ANSWERS
        and answers.count(count) == len(answers)
        and type(label) is int
        and label in (0, 1)
        and _is_list_of(uids, count, _INTEGERS)
        and min(uids) >= 0
        and max(uids) < MAX_UID
        and _is_list_of(rest["miner_hotkeys"], count, _TEXTS)
        and ("model_urls" not in rest or _is_list_of(rest["model_urls"], count, _TEXTS_AND_NULLS))
        and rest.get("modality") in ("image", None)
    )


def _other(layout: _Layout, rest: dict[str, Any], metadata: ReadMetadata) -> str | None:
    """What no field holds, as JSON."""
    other = {key: value for key in layout.undeclared if (value := rest[key]) is not None}
    if metadata.undeclared:
        other[_METADATA] = metadata.undeclared
    return canonical_json(other).decode() if other else None


def _plain(value: Any) -> Any:
    """A value outside the metadata, of which none is an object.

    Raises:
        TypeError: it is one, or a list that holds one or a list.
    """
    kind: type = type(value)
    return whole(value.as_list() if kind is simdjson.Array else value)


def _parameters(value: Any) -> dict[str, Any]:
    """The parameters of an augmentation.

    Raises:
        ValueError: one of its objects has a key twice.
        AttributeError: it is no object.
    """
    parameters: dict[str, Any] = value.as_dict()
    if not parameters:
        return {}
    text = value.mini
    # where a key stands twice, its quotes are in the text alone
    if text.count(b'"') != orjson.dumps(parameters).count(b'"'):
        raise ValueError("a key twice")
    if _MAY_BE_WHOLE.search(text):
        plain: dict[str, Any] = _whole_within(parameters)
        return plain
    return parameters


def _whole_within(value: Any) -> Any:
    """`whole` of objects and lists of any depth."""
    kind = type(value)
    if kind is dict:
        return {key: _whole_within(v) if type(v) in _WITHIN else v for key, v in value.items()}
    if kind is list:
        if set(map(type, value)) & _WITHIN:
            return [_whole_within(v) if type(v) in _WITHIN else v for v in value]
        return value
    return int(value) if value.is_integer() else value


def _is_list_of(value: object, count: int, types: frozenset[type]) -> bool:
    return type(value) is list and len(value) == count and set(map(type, value)) <= types


def _has_huge(numbers: bytes) -> bool:
    """Whether a float64 is 2**113 or more, by sign and exponent; those of float32 go to 2**128."""
    return bool(numbers[_FLOAT64_BYTES - 1 :: _FLOAT64_BYTES].translate(None, _NO_HUGE))


@lru_cache
def _sizes_text(keys: tuple[str, ...], sizes: tuple[int, ...]) -> bytes:
    return number_sizes(zip(keys, sizes, strict=True))


@lru_cache
def _evidence(
    without_augmentation: bool,
    geometry: Geometry | None,
    has_model_urls: bool,
    has_source: bool,
    repeats_uids: bool,
    exponents: frozenset[int],
) -> Evidence:
    return Evidence(
        without_augmentation, geometry, has_model_urls, has_source, repeats_uids, exponents
    )
