"""Weather, environment and daytime as rows of a table: open vocabularies."""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from data.records.values import null_kind

# The values that the public data set holds, in the form of `_key`: each has its own row.
_KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "weather": ("sunny", "partly cloudy", "cloudy", "rain", "rainy", "wet", "snow", "fog"),
        "environment": ("urban", "suburban", "rural", "highway", "other"),
        "daytime": ("light", "dark", "twilight"),
    }
)

TAG_FIELDS = tuple(_KNOWN)

# Rows that all other values share, by a hash: an unseen value is never NULL.
_SHARED_ROWS = 16


def table_rows(field: str) -> int:
    """How many rows the table of a field has."""
    return len(_KNOWN[field]) + _SHARED_ROWS


def tag_row(field: str, value: str) -> int:
    """The row of one value, whatever its case and spacing; the same on every machine."""
    key = _key(value)
    known = _KNOWN[field]
    if key in known:
        return known.index(key)
    digest = hashlib.blake2b(f"{field}\0{key}".encode(), digest_size=8).digest()
    return len(known) + int.from_bytes(digest) % _SHARED_ROWS


def tag_weights(field: str, values: Sequence[str]) -> npt.NDArray[np.float32]:
    """The share of each table row among a field's values, (rows,); shares sum to 1.

    Words that stand for nothing ("Unknown") count only where nothing else is there; the caller asks
    first whether the whole field is NULL. Zeros if there is no value.
    """
    weights = np.zeros(table_rows(field), np.float32)
    informative = [value for value in values if null_kind(value) is None]
    for value in informative:
        weights[tag_row(field, value)] += 1 / len(informative)
    return weights


def _key(value: str) -> str:
    return " ".join(value.split()).casefold()
