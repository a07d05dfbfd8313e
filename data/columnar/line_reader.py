"""Read a clean line of a JSON log fast; any surprise leaves the line to the strict reader.

A line is clean where `data.logs.json_logs` would read one whole challenge from it, without a
reject: both then give equal rows, which a test of mutated records holds. simdjson checks UTF-8 and
JSON, keeps lists of numbers as float64 without a Python object each, and refuses NaN, lone
surrogates and integers beyond 64 bits.
"""

import json
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import simdjson

from data.columnar.augmentation import augmentation_values
from data.columnar.clean_record import CleanRecord
from data.columnar.field_memory import FieldsMemory
from data.errors import RecordError
from data.records.content_id import NUMBER_LISTS, canonical_json, id_of_parts, number_sizes
from data.records.eras import ALL_EXPONENTS, Evidence, logged_geometry
from data.records.fields import undeclared
from data.records.media_record import MAX_UID
from data.records.not_media_record import is_history_row, refuse_other_forms

# A record of 256 uids has 12 kB; a much longer one is not worth a parser's memory.
_MOST_BYTES = 2**18
_MOST_ANSWERS = 256
_MOST_LAYOUTS = 256
_FLOAT64_BYTES = 8
# The last byte of a float64 below 2**113: the sign, and the upper bits of the exponent.
_NO_HUGE = bytes(byte for byte in range(256) if byte & 0x7F < 0x47)  # noqa: PLR2004
# Escapes of characters that are counted below: of the quote, and of brackets and the backslash.
_COUNTED_ESCAPES = (b"\\u002", b"\\u005")
# What simdjson raises where JSON is broken, or a value is of another type than asked for.
_SURPRISES = (ValueError, TypeError, KeyError, AttributeError, RuntimeError, MemoryError)
_WITHIN = frozenset({float, dict, list})
_REQUIRED = frozenset({"label", "predictions", "rewards", "miner_uids", "miner_hotkeys"})


class _Layout(NamedTuple):
    """The keys of a record: its lists of numbers in order, and all others."""

    numbers: tuple[str, ...]
    rest: tuple[str, ...]


class CleanLineReader:
    """Reads lines of JSON logs; it remembers layouts and values of the lines before."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()
        self._fields = FieldsMemory()
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}
        self._encode = json.JSONEncoder(sort_keys=True).encode

    def read(self, line: bytes, position: int) -> CleanRecord | None:
        """The record of a line, the log's at `position`; None if the line is not clean."""
        if len(line) > _MOST_BYTES:
            return None
        if b"\\u00" in line and any(escape in line for escape in _COUNTED_ESCAPES):
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
            value: Any = document[key]
            kind = type(value)
            if kind is simdjson.Object:
                value = value.as_dict()
            elif kind is simdjson.Array:
                value = value.as_list()
            rest[key] = value
        return self._record(line, position, layout.numbers, buffers, rest)

    def _remember(self, keys: tuple[str, ...]) -> _Layout | None:
        """The layout of these keys; None where no record with them is clean."""
        layout = None
        if _is_of_record(keys):
            numbers = tuple(key for key in NUMBER_LISTS if key in keys)
            layout = _Layout(numbers, tuple(key for key in keys if key not in numbers))
        if len(self._layouts) < _MOST_LAYOUTS:
            self._layouts[keys] = layout
        return layout

    def _record(
        self,
        line: bytes,
        position: int,
        number_keys: tuple[str, ...],
        buffers: list[Any],
        rest: dict[str, Any],
    ) -> CleanRecord | None:
        rest = _whole(rest)
        written = canonical_json(rest)
        if not _each_key_once(line, written, len(number_keys)):
            return None
        sizes = [buffer.size // _FLOAT64_BYTES for buffer in buffers]
        count, scores = sizes[0], sizes[-1] if number_keys[-1] == "scores" else 0
        answers = sizes[:-1] if scores else sizes
        label, uids, hotkeys = rest["label"], rest["miner_uids"], rest["miner_hotkeys"]
        urls, metadata = rest.get("model_urls"), rest.get("metadata", {})
        if not (
            0 < count <= _MOST_ANSWERS
            and answers.count(count) == len(answers)
            and type(label) is int
            and label in (0, 1)
            and _is_list_of(uids, count, {int})
            and min(uids) >= 0
            and max(uids) < MAX_UID
            and _is_list_of(hotkeys, count, {str})
            and ("model_urls" not in rest or _is_list_of(urls, count, {str, type(None)}))
            and type(metadata) is dict
            and rest.get("modality") in ("image", None)
        ):
            return None
        augmentation = augmentation_values(rest)
        fields = self._fields.read(rest, metadata)
        if augmentation is None or fields is None:
            return None
        numbers = b"".join(buffers)
        if b"-0" in line:  # perhaps a -0.0, which is 0.0
            numbers = (np.frombuffer(numbers) + 0.0).tobytes()
        if scores and _has_huge(numbers[-scores * _FLOAT64_BYTES :]):
            return None
        other = undeclared(rest)
        return CleanRecord(
            position=position,
            challenge_id=id_of_parts(written, _sizes_text(number_keys, tuple(sizes)), numbers),
            label=label,
            evidence=_evidence(rest, uids),
            fields=fields,
            augmentation=augmentation,
            number_keys=number_keys,
            numbers=numbers,
            answer_count=count,
            score_count=scores,
            uids=uids,
            hotkeys=hotkeys,
            model_urls=urls,
            other=self._encode(other) if other else None,
        )


@lru_cache
def _sizes_text(keys: tuple[str, ...], sizes: tuple[int, ...]) -> bytes:
    return number_sizes(zip(keys, sizes, strict=True))


def _whole(value: Any) -> Any:
    """`value` with every whole float as int, as `media_record.finite` gives it."""
    if type(value) is dict:
        return {key: _whole(v) if type(v) in _WITHIN else v for key, v in value.items()}
    if type(value) is list:
        return [_whole(item) if type(item) in _WITHIN else item for item in value]
    return int(value) if value.is_integer() else value


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


def _each_key_once(line: bytes, rest: bytes, number_lists: int) -> bool:
    """Whether no object of a line has a key twice, and no list of numbers has one within.

    `rest` is what was parsed, without the lists of numbers, as JSON again. Where a key stands
    twice, its quotes are in the line only, as is the bracket of a list within a list.
    """
    return (
        line.count(b'"') == rest.count(b'"') + 2 * number_lists
        and line.count(b"[") == rest.count(b"[") + number_lists
    )


def _is_list_of(value: object, count: int, types: set[type]) -> bool:
    return type(value) is list and len(value) == count and types.issuperset(map(type, value))


def _has_huge(numbers: bytes) -> bool:
    """Whether a float64 is 2**113 or more, by sign and exponent; those of float32 go to 2**128."""
    return bool(numbers[_FLOAT64_BYTES - 1 :: _FLOAT64_BYTES].translate(None, _NO_HUGE))


def _evidence(rest: dict[str, Any], uids: list[int]) -> Evidence:
    return Evidence(
        without_augmentation=rest.get("source") == "api"
        or "task_id" in rest
        or "data_aug_level" not in rest,
        geometry=logged_geometry(rest.get("data_aug_params"), rest.get("data_aug_level")),
        has_model_urls="model_urls" in rest,
        has_source="source" in rest,
        repeats_uids=len(set(uids)) < len(uids),
        exponents=ALL_EXPONENTS,
    )
