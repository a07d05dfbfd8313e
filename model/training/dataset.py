"""A split's rows as tensors: labels, weather and metadata beside the inputs made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.datasets.training_row import TrainingRow
from model.metadata.tags import table_rows, tag_weights
from model.metadata.tensors import MetadataTensors
from model.training.inputs import TrainingInputs


@dataclass(frozen=True)
class Dataset:
    """One split: its inputs, and the label, weather and metadata of every row.

    `scenes` names what each row shows; `labels` is int64 (rows,); `weather` float32 (rows, rows of
    the weather table): shares that sum to 1, all 0 where the weather is not known; `metadata` is
    None where the model gets none.
    """

    inputs: TrainingInputs
    scenes: Sequence[str]
    labels: torch.Tensor
    weather: torch.Tensor
    metadata: MetadataTensors | None

    @property
    def row_count(self) -> int:
        """How many rows have images."""
        return len({sample.row for sample in self.inputs.samples})

    def rows(self, indices: Sequence[int]) -> torch.Tensor:
        """The row of each of the samples at these indices, int64 (B,)."""
        return torch.tensor([self.inputs.samples[index].row for index in indices])

    def metadata_of(self, rows: torch.Tensor, device: torch.device) -> MetadataTensors | None:
        """The metadata of these rows, on a device."""
        return None if self.metadata is None else self.metadata.rows(rows).to(device)


def make_dataset(
    rows: Sequence[TrainingRow], inputs: TrainingInputs, metadata: MetadataTensors | None
) -> Dataset:
    """The dataset of a split's rows and the inputs built of them."""
    labels = torch.tensor([row.label for row in rows])
    scenes = [row.scene for row in rows]
    return Dataset(inputs, scenes, labels, torch.from_numpy(_weather_shares(rows)), metadata)


def _weather_shares(
    rows: Sequence[TrainingRow],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shares = np.zeros((len(rows), table_rows("weather")), np.float32)
    for index, row in enumerate(rows):
        if row.metadata.get("weather_null") is None and row.metadata.get("weather"):
            shares[index] = tag_weights("weather", row.metadata["weather"])
    return shares
