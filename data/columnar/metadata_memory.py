"""Read the metadata of many records: that of a source row stands in every record that sends it."""

from typing import Any, NamedTuple

import orjson
import simdjson

from data.columnar.field_memory import MetadataFields, ReadFields

# The data set has 8,549 rows; of each about 4 kB are kept, and of none much more.
_MOST_ROWS = 10_000
_MOST_CHARACTERS = 16_384
_SOURCE_ROW = "source_parquet"
_SCALARS = frozenset({str, int, float, bool, type(None)})


class ReadMetadata(NamedTuple):
    """Metadata as a part of its record's canonical JSON, as fields, and what no field holds."""

    fragment: orjson.Fragment
    fields: ReadFields
    undeclared: dict[str, Any]


class MetadataMemory:
    """What metadata becomes; that of source rows is remembered."""

    def __init__(self) -> None:
        self._fields = MetadataFields()
        self._rows: dict[str | bytes, ReadMetadata] = {}
        self.none = self._read({})
        """That of a record without metadata."""

    def read(self, metadata: simdjson.Object) -> ReadMetadata | None:
        """The metadata of one record; None if it is not clean.

        Raises:
            TypeError: a value is none that a clean record has.
        """
        text = metadata.mini
        known = self._rows.get(text)
        if known is not None:
            return known
        values = metadata.as_dict()
        if len(values) != len(metadata):  # a key twice
            return None
        read = self._read({key: whole(value) for key, value in values.items()})
        if read is not None and _SOURCE_ROW in values and len(text) <= _MOST_CHARACTERS:
            if len(self._rows) >= _MOST_ROWS:
                self._rows.clear()
            self._rows[text] = read
        return read

    def _read(self, values: dict[str, Any]) -> ReadMetadata | None:
        fragment = orjson.Fragment(orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
        read = self._fields.read(values)
        return read and ReadMetadata(fragment, *read)


def whole(value: Any) -> Any:
    """A value with every whole float as int, as `media_record.finite` gives it.

    Raises:
        TypeError: it holds an object, or a list of lists.
    """
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is list:
        kinds = set(map(type, value))
        if not kinds <= _SCALARS:
            raise TypeError("nested")
        return [whole(item) for item in value] if float in kinds else value
    if kind not in _SCALARS:
        raise TypeError("nested")
    return value
