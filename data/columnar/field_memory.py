"""Read the declared fields of many records: equal logged values are parsed once.

Logs repeat themselves: a city, a tag, a position stand in thousands of records. What a value
becomes is what `data.records.fields` makes of it; a value that it refuses is `None` here.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, NamedTuple

from data.records import values
from data.records.cities import position_problem
from data.records.fields import FIELDS, NULL_COLUMNS, Field, FieldValues, read_field, undeclared
from data.records.types import NullKind
from data.records.values import MOST_NULL_WORD_CHARACTERS
from data.text import base_name

# Texts and numbers kept a field, and layouts of metadata; beyond, the memory begins anew. Longer
# texts are not kept.
_MOST_VALUES = 8192
_MOST_CHARACTERS = 100
_MOST_LAYOUTS = 256
# Types that are equal only where they are of one type: 1, 1.0 and true are three logged values.
_KEPT = frozenset({str, int, type(None)})
_METADATA = "metadata"

SOURCE_COLUMNS = tuple(column for field in FIELDS for column in field.columns)
"""Columns of a record's fields, in the order of `ReadFields.columns`."""


# Columns of fields outside the metadata, which come first.
_TOP_COLUMNS = sum(len(field.columns) for field in FIELDS if field.key[0] != _METADATA)


class ReadFields(NamedTuple):
    """Values by `SOURCE_COLUMNS`, or those of the metadata alone; None where a field has no value.

    `nulls` are the kinds by `fields.NULL_COLUMNS`, None for a value.
    """

    columns: list[Any]
    nulls: list[str | None]


# What becomes of a text without lone surrogates that is too long for a word for no value.
_LONG_TEXTS: dict[Any, Callable[[str], str]] = {values.text: str, values.name: base_name}


class _ReadValue(NamedTuple):
    """What one value becomes: its columns' values, and why it holds none."""

    columns: tuple[Any, ...]
    null: str | None


class _FieldMemory:
    """What the values of one field become, and where that stands in `ReadFields`."""

    def __init__(self, field: Field) -> None:
        self.key, self.is_metadata = field.key[-1], field.key[0] == _METADATA
        column = SOURCE_COLUMNS.index(field.columns[0])
        self.column = column - _TOP_COLUMNS if self.is_metadata else column
        self.width = len(field.columns)
        name = field.null_column
        self.null = NULL_COLUMNS.index(name) if name else None
        self.known: dict[Hashable, _ReadValue | None] = {}
        self._field = field
        self._long_text = _LONG_TEXTS.get(field.parse)

    def read(self, value: Any) -> _ReadValue | None:
        """What a value as JSON gave it becomes; None if it cannot be read."""
        if self._long_text and type(value) is str and len(value) > MOST_NULL_WORD_CHARACTERS:
            return _ReadValue((self._long_text(value),), None)
        read = self._parse(value)
        if type(value) in _KEPT and (type(value) is not str or len(value) <= _MOST_CHARACTERS):
            if len(self.known) >= _MOST_VALUES:
                self.known.clear()
            self.known[value] = read
        return read

    def _parse(self, value: object) -> _ReadValue | None:
        read = FieldValues({}, {}, [])
        read_field(self._field, value, read)
        if read.problems:
            for problem in read.problems:
                # its frames hold the parsed document, which the parser waits for
                problem.error.__traceback__ = None
            return None
        columns = tuple(read.columns.get(column) for column in self._field.columns)
        kind = read.nulls.get(self._field.null_column or "")
        return _ReadValue(columns, kind.value if kind else None)


class TopFields:
    """What the fields of a record outside its metadata become; none has a NULL kind."""

    def __init__(self) -> None:
        self._fields = tuple(field for field in _memories() if not field.is_metadata)

    def among(self, keys: Collection[str]) -> "_Fields":
        """The fields among a record's keys."""
        return tuple(field for field in self._fields if field.key in keys)

    def read(self, fields: "_Fields", record: Mapping[str, Any]) -> list[Any] | None:
        """The values of these fields by column; None if one cannot be read."""
        columns: list[Any] = [None] * _TOP_COLUMNS
        return columns if _read_into(columns, [], fields, record) else None


class MetadataFields:
    """What the fields of a record's metadata become."""

    def __init__(self) -> None:
        self._fields = tuple(field for field in _memories() if field.is_metadata)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._gps = SOURCE_COLUMNS.index("gps_lat") - _TOP_COLUMNS
        self._city = SOURCE_COLUMNS.index("city") - _TOP_COLUMNS
        self._no_columns: list[Any] = [None] * (len(SOURCE_COLUMNS) - _TOP_COLUMNS)
        self._all_absent: list[str | None] = [NullKind.ABSENT.value] * len(NULL_COLUMNS)

    def read(self, metadata: Mapping[str, Any]) -> tuple[ReadFields, dict[str, Any]] | None:
        """All fields of a record's metadata, and what no field holds.

        None if one of the values cannot be read.
        """
        columns, nulls = self._no_columns.copy(), self._all_absent.copy()
        fields, undeclared_keys = self._layout_of(tuple(metadata))
        if not _read_into(columns, nulls, fields, metadata):
            return None
        latitude, longitude = columns[self._gps : self._gps + 2]
        if latitude is not None and position_problem(latitude, longitude, columns[self._city]):
            return None
        rest = {k: value for k in undeclared_keys if (value := metadata[k]) is not None}
        return ReadFields(columns, nulls), rest

    def _layout_of(self, keys: tuple[str, ...]) -> "_Layout":
        """The fields among a metadata object's keys, and the keys of none."""
        layout = self._layouts.get(keys)
        if layout is None:
            fields = tuple(field for field in self._fields if field.key in keys)
            rest = undeclared({_METADATA: dict.fromkeys(keys, 1)}).get(_METADATA, {})
            layout = fields, tuple(rest)
            if len(self._layouts) < _MOST_LAYOUTS:
                self._layouts[keys] = layout
        return layout


_Fields = tuple[_FieldMemory, ...]
_Layout = tuple[_Fields, tuple[str, ...]]


def _memories() -> _Fields:
    return tuple(map(_FieldMemory, FIELDS))


def _read_into(
    columns: list[Any], nulls: list[str | None], fields: _Fields, logged: Mapping[str, Any]
) -> bool:
    """Read the values of these fields into columns and NULL kinds; False if one cannot be read."""
    for field in fields:
        value = logged[field.key]
        if type(value) in _KEPT and value in field.known:
            became = field.known[value]
        else:
            became = field.read(value)
        if became is None:
            return False
        if field.width == 1:
            columns[field.column] = became.columns[0]
        else:
            columns[field.column : field.column + field.width] = became.columns
        if field.null is not None:
            nulls[field.null] = became.null
    return True
