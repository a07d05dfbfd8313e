"""The metadata encoder: five fields, each with a learned vector for "nothing is known"."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from model.metadata.gps import GPS_WIDTH
from model.metadata.tags import TAG_FIELDS
from model.metadata.tensors import FIELD_INPUTS, FIELDS, MetadataTensors
from model.metadata.text_vectors import TEXT_WIDTH

_TAG_WIDTH = 64

FIELD_WIDTHS: Mapping[str, int] = MappingProxyType(
    {"gps": GPS_WIDTH, **dict.fromkeys(TAG_FIELDS, _TAG_WIDTH), "text": TEXT_WIDTH}
)
METADATA_WIDTH = sum(FIELD_WIDTHS.values())
"""128 + 3 * 64 + 384 = 704."""


class MetadataEncoder(nn.Module):
    """The vectors of five fields, concatenated to (B, 704); a NULL field has a learned vector.

    GPS features and text vectors go in as they are; weather, environment and daytime are the mean
    of their values' rows in a table. Every field's vectors have about unit length.

    Training hides metadata at random, so that the model is also trained without it.

    Args:
        drop_all: the share of challenges that lose all metadata in training.
        drop_field: the share of fields that the other challenges lose, each independently.
    """

    def __init__(self, drop_all: float, drop_field: float) -> None:
        super().__init__()
        self.drop_all, self.drop_field = drop_all, drop_field
        self.tables = nn.ParameterDict(
            {
                field: torch.randn(FIELD_INPUTS[field], _TAG_WIDTH) / _TAG_WIDTH**0.5
                for field in TAG_FIELDS
            }
        )
        self.nulls = nn.ParameterDict(
            {field: torch.randn(width) / width**0.5 for field, width in FIELD_WIDTHS.items()}
        )

    def forward(self, metadata: MetadataTensors | None, batch: int) -> torch.Tensor:
        """The vectors (B, 704).

        Args:
            metadata: None is the image-only mode: every field NULL.
            batch: B.
        """
        if metadata is None:
            nulls = torch.cat([self.nulls[field] for field in FIELDS])
            return nulls.expand(batch, -1)
        present = self._drop_randomly(metadata.present) if self.training else metadata.present
        vectors = [
            torch.where(present[:, [column]], self._vectors(metadata, field), self.nulls[field])
            for column, field in enumerate(FIELDS)
        ]
        return torch.cat(vectors, dim=1)

    def _vectors(self, metadata: MetadataTensors, field: str) -> torch.Tensor:
        values = metadata.values[field].to(self.nulls[field].dtype)
        return values @ self.tables[field] if field in TAG_FIELDS else values

    def _drop_randomly(self, present: torch.Tensor) -> torch.Tensor:
        any_left = torch.rand(len(present), 1, device=present.device) >= self.drop_all
        fields = torch.rand(present.shape, device=present.device) >= self.drop_field
        return present & any_left & fields
