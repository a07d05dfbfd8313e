"""Metadata as tensors: the encoder's input, what is logged of a challenge beside its image.

In this subnet the presence of a description is the label (see README): the score of a model with
metadata proves nothing, and where it is deployed there is none. Every field can be NULL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from data.records.values import null_kind
from model.metadata.gps import GPS_WIDTH, gps_features
from model.metadata.tags import TAG_FIELDS, table_rows, tag_weights
from model.metadata.text_vectors import TEXT_WIDTH

FIELDS = ("gps", *TAG_FIELDS, "text")

FIELD_INPUTS: Mapping[str, int] = MappingProxyType(
    {"gps": GPS_WIDTH, **{field: table_rows(field) for field in TAG_FIELDS}, "text": TEXT_WIDTH}
)
"""The width of each field's input: GPS features, shares of table rows, or a text vector."""

# Fields that a row of metadata names differently.
_COLUMNS = {"text": "scene_description"}

TextEncoder = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""A function of N texts to vectors (N, 384), such as `TextVectors`."""


@dataclass(frozen=True)
class MetadataTensors:
    """The metadata of B challenges.

    `values[field]` is float32 (B, FIELD_INPUTS[field]), zeros where NULL; `present` is bool
    (B, 5), in the order of FIELDS.
    """

    values: Mapping[str, torch.Tensor]
    present: torch.Tensor

    def __len__(self) -> int:
        return len(self.present)

    def rows(self, index: torch.Tensor) -> "MetadataTensors":
        """The metadata of some challenges; `index` (N,), or bool (B,)."""
        values = {field: value[index] for field, value in self.values.items()}
        return MetadataTensors(values, self.present[index])

    def to(self, device: torch.device | str) -> "MetadataTensors":
        """The same on another device."""
        values = {field: value.to(device) for field, value in self.values.items()}
        return MetadataTensors(values, self.present.to(device))


def metadata_tensors(
    rows: Sequence[Mapping[str, Any]], encode_text: TextEncoder
) -> MetadataTensors:
    """The tensors of challenges' metadata, a row for each challenge.

    Every NULL kind is NULL here: a column `<field>_null` that names one, also where the value was
    kept ("Unknown"); a value that is None, empty or such a word; a column that is not there.

    Args:
        rows: mappings with the columns gps_lat, gps_lon, weather, environment, daytime and
            scene_description, and `<field>_null` of each.
        encode_text: asked once, for the descriptions that are there.
    """
    values = {
        field: np.zeros((len(rows), width), np.float32) for field, width in FIELD_INPUTS.items()
    }
    present = np.zeros((len(rows), len(FIELDS)), np.bool_)
    for column, field in enumerate(FIELDS):
        field_values = [_value(row, field) for row in rows]
        known_rows = [row for row, value in enumerate(field_values) if value is not None]
        present[known_rows, column] = True
        if known_rows:
            values[field][known_rows] = _inputs(
                field, [field_values[row] for row in known_rows], encode_text
            )
    tensors = {field: torch.from_numpy(value) for field, value in values.items()}
    return MetadataTensors(tensors, torch.from_numpy(present))


def _value(row: Mapping[str, Any], field: str) -> Any:
    """The value of a field in a row: a pair of degrees, tags, or a text; None where NULL."""
    column = _COLUMNS.get(field, field)
    if row.get(f"{column}_null") is not None:
        return None
    if field == "gps":
        pair = (row.get("gps_lat"), row.get("gps_lon"))
        return None if any(null_kind(degrees) for degrees in pair) else pair
    value = row.get(column)
    value = tuple(value) if isinstance(value, list) else value
    return None if null_kind(value) else value


def _inputs(field: str, values: list[Any], encode_text: TextEncoder) -> npt.NDArray[np.float32]:
    if field == "gps":
        return gps_features(*np.array(values, np.float64).T)
    if field == "text":
        return encode_text(values)
    tag_lists = [(value,) if isinstance(value, str) else value for value in values]
    return np.stack([tag_weights(field, tags) for tags in tag_lists])
