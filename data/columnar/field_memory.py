"""Read the declared fields of many records: equal logged values are parsed once.

Logs repeat themselves: a city, a tag, a position stand in thousands of records. What a value
becomes is what `data.records.fields` makes of it; a value that it refuses is `None` here.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from data.records.cities import position_problem
from data.records.fields import FIELDS, NULL_COLUMNS, Field, FieldValues, read_field
from data.records.types import NullKind

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


class ReadFields(NamedTuple):
    """Values by `SOURCE_COLUMNS`, and NULL kinds by `fields.NULL_COLUMNS`, None for a value."""

    columns: list[Any]
    nulls: list[str | None]


class _ReadValue(NamedTuple):
    """What one value becomes: its columns' values, and why it holds none."""

    columns: tuple[Any, ...]
    null: str | None


class _FieldMemory:
    """What the values of one field become, and where that stands in `ReadFields`."""

    def __init__(self, field: Field) -> None:
        self.key, self.is_metadata = field.key[-1], field.key[0] == _METADATA
        self.column = SOURCE_COLUMNS.index(field.columns[0])
        self.width = len(field.columns)
        name = field.null_column
        self.null = NULL_COLUMNS.index(name) if name else None
        self.known: dict[Hashable, _ReadValue | None] = {}
        self._field = field

    def read(self, value: Any) -> _ReadValue | None:
        """What a value as JSON gave it becomes; None if it cannot be read."""
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
            return None
        columns = tuple(read.columns.get(column) for column in self._field.columns)
        kind = read.nulls.get(self._field.null_column or "")
        return _ReadValue(columns, kind.value if kind else None)


_Fields = tuple[_FieldMemory, ...]


class FieldsMemory:
    """What the fields of records become."""

    def __init__(self) -> None:
        self._fields = tuple(map(_FieldMemory, FIELDS))
        self._top = tuple(field for field in self._fields if not field.is_metadata)
        self._layouts: dict[tuple[str, ...], _Fields] = {}
        self._places: dict[tuple[float, float, str | None], bool] = {}
        self._gps = SOURCE_COLUMNS.index("gps_lat")
        self._city = SOURCE_COLUMNS.index("city")
        self._no_columns: list[Any] = [None] * len(SOURCE_COLUMNS)
        self._all_absent: list[str | None] = [NullKind.ABSENT.value] * len(NULL_COLUMNS)

    def read(self, record: Mapping[str, Any], metadata: Mapping[str, Any]) -> ReadFields | None:
        """All fields of a record; None if one of its values cannot be read."""
        read = ReadFields(self._no_columns.copy(), self._all_absent.copy())
        top = [field for field in self._top if field.key in record]
        if not _read_into(read, top, record):
            return None
        if not _read_into(read, self._fields_of(tuple(metadata)), metadata):
            return None
        latitude = read.columns[self._gps]
        if latitude is not None and self._is_elsewhere(
            latitude, read.columns[self._gps + 1], read.columns[self._city]
        ):
            return None
        return read

    def _fields_of(self, keys: tuple[str, ...]) -> _Fields:
        """The fields among a metadata object's keys."""
        fields = self._layouts.get(keys)
        if fields is None:
            fields = tuple(f for f in self._fields if f.is_metadata and f.key in keys)
            if len(self._layouts) < _MOST_LAYOUTS:
                self._layouts[keys] = fields
        return fields

    def _is_elsewhere(self, latitude: float, longitude: float, city: str | None) -> bool:
        place = (latitude, longitude, city)
        known = self._places.get(place)
        if known is None:
            if len(self._places) >= _MOST_VALUES:
                self._places.clear()
            known = self._places[place] = position_problem(*place) is not None
        return known


def _read_into(read: ReadFields, fields: Iterable[_FieldMemory], values: Mapping[str, Any]) -> bool:
    """Read the values of these fields into `read`; False if one cannot be read."""
    columns, nulls = read
    for field in fields:
        value = values[field.key]
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
