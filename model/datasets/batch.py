"""A batch of challenges as tensors, and the table of rows that labels come from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch

from model.metadata.tags import table_rows, tag_weights
from model.metadata.tensors import MetadataTensors
from model.rows.training_row import TrainingRow


class RowDraw(NamedTuple):
    """What a sampler asks for: a row, the number of one of its challenges, and the epoch."""

    row: int
    draw: int
    epoch: int


@dataclass(frozen=True)
class Batch:
    """B challenges.

    `inputs` are images, uint8 (B, 3, 224, 224), or features of a frozen backbone, float32
    (B, 12, width). `labels` int64 (B,) are 1 for roadwork, else 0, of which a training step makes
    shares of the classes, float32 (B, 2); `weather` float32 (B, rows of the weather table) are
    shares, all 0 where it is not known. `rows` int64 (B,) are rows of the
    split; `views` int64 (B, K) those that the model sees, None: all; `metadata` is None for an
    image-only model.
    """

    rows: torch.Tensor
    inputs: torch.Tensor
    labels: torch.Tensor
    weather: torch.Tensor
    views: torch.Tensor | None = None
    metadata: MetadataTensors | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The same on another device."""
        return self._mapped(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> "Batch":
        """The same in memory that a GPU copies from while the processor goes on."""
        return self._mapped(lambda tensor: tensor if tensor.is_cuda else tensor.pin_memory())

    def parts(self, most: int) -> Iterator["Batch"]:
        """The batch in as few parts as hold at most `most` challenges each, nearly equal ones."""
        count = -(-len(self) // most)
        bounds = [len(self) * part // count for part in range(count + 1)]
        for part in map(slice, bounds[:-1], bounds[1:]):
            yield self._mapped(itemgetter(part))

    def _mapped(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        metadata = self.metadata
        if metadata is not None:
            values = {name: change(value) for name, value in metadata.values.items()}
            metadata = MetadataTensors(values, change(metadata.present))
        return replace(
            self,
            rows=change(self.rows),
            inputs=change(self.inputs),
            labels=change(self.labels),
            weather=change(self.weather),
            views=None if self.views is None else change(self.views),
            metadata=metadata,
        )


@dataclass(frozen=True)
class RowTable:
    """The rows of one split: `rows` themselves, and what is known of them beside their images.

    `labels` int64 (rows,); `weather` as in `Batch`; `scenes` int64 (rows,) numbers what each row
    shows: rows of one scene have the same number.
    """

    rows: Sequence[TrainingRow]
    labels: torch.Tensor
    weather: torch.Tensor
    scenes: torch.Tensor
    metadata: MetadataTensors | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def batch(
        self, draws: Sequence[RowDraw], inputs: torch.Tensor, views: torch.Tensor | None = None
    ) -> Batch:
        """The batch of some challenges and their inputs."""
        rows = torch.tensor([draw.row for draw in draws])
        return Batch(
            rows=rows,
            inputs=inputs,
            labels=self.labels[rows],
            weather=self.weather[rows],
            views=views,
            metadata=None if self.metadata is None else self.metadata.rows(rows),
        )


def row_table(rows: Sequence[TrainingRow], metadata: MetadataTensors | None = None) -> RowTable:
    """The table of a split's rows, with their metadata for a model that gets it."""
    numbers: dict[str, int] = {}
    scenes = [numbers.setdefault(row.scene, len(numbers)) for row in rows]
    return RowTable(
        rows=rows,
        labels=torch.tensor([row.label for row in rows]),
        weather=torch.from_numpy(_weather_shares(rows)),
        scenes=torch.tensor(scenes),
        metadata=metadata,
    )


def _weather_shares(
    rows: Sequence[TrainingRow],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shares = np.zeros((len(rows), table_rows("weather")), np.float32)
    for index, row in enumerate(rows):
        if row.metadata.get("weather_null") is None and row.metadata.get("weather"):
            shares[index] = tag_weights("weather", row.metadata["weather"])
    return shares
