"""The losses of a batch, in parts that memory holds; needs no accelerator's loop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from model.datasets.augmentation import Mixup
from model.datasets.batch import Batch
from model.metadata.tensors import MetadataTensors
from model.network.street_model import ModelOutput
from model.optimization.config import TrainingConfig
from model.optimization.losses import Losses, soft_labels, training_loss

Forward = Callable[[torch.Tensor, torch.Tensor | None, MetadataTensors | None], ModelOutput]
"""A `FullModel`, or what wraps one: from inputs, views and metadata to the output."""


@dataclass(frozen=True)
class PartLoss:
    """The losses of a part of a batch, and its share of the batch's challenges, times their weight.

    `total`, a scalar, is the part's term in the batch's loss: the sum of the terms is that loss.
    """

    share: float
    losses: Losses
    total: torch.Tensor


class BatchLoss:
    """Computes a batch's losses: soft labels, MixUp, forward, all losses."""

    def __init__(self, config: TrainingConfig) -> None:
        """Take the weights of the losses, the smoothing of labels and MixUp's parameter."""
        self._loss = config.loss
        self._mixup = Mixup(config.dataset.mixup) if config.dataset.mixup else None

    def parts(
        self, forward: Forward, batch: Batch, at_once: int, weight: float = 1.0
    ) -> Iterator[PartLoss]:
        """The loss of one part after the other; go backwards before asking for the next.

        Challenges are mixed over the whole batch. Losses of all challenges alike are those of the
        whole batch; those that count some only (see `Losses`) are means over parts.

        Args:
            forward: in training mode.
            batch: on the model's device.
            at_once: challenges of a part, at most.
            weight: of the batch among those of other processes, 1 for an equal one.
        """
        labels = soft_labels(batch.labels, self._loss.smoothing)
        inputs, weather = batch.inputs, batch.weather
        if self._mixup is not None:
            inputs, labels, weather = self._mixup(inputs, labels, weather)
        mixed = replace(batch, inputs=inputs, labels=labels, weather=weather)
        for part in mixed.parts(at_once):
            output = forward(part.inputs, part.views, part.metadata)
            losses = training_loss(output, part.labels, part.weather, self._loss)
            share = weight * len(part) / len(batch)
            yield PartLoss(share, losses, share * losses.total(self._loss))
