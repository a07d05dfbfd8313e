"""Metrics of a model on the validation split, by the validator's own scoring."""

from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from analytics.scoring.metrics import Floats, confusion_counts, mcc
from analytics.scoring.predicted_class import predicted_class
from model.datasets.batch import Batch
from model.optimization.batch_errors import batches_of
from model.optimization.full_model import FullModel
from model.optimization.losses import focal_loss, soft_labels


@dataclass(frozen=True)
class EpochMetrics:
    """Metrics of one epoch.

    `steps` counts steps of the optimiser so far. `loss` is the mean over the epoch's batches, and
    `losses` those of its parts, unweighted, by name. `validation_loss` is focal loss and `mcc` the
    MCC, both over the `n` images of the validation split.
    """

    epoch: int
    steps: int
    loss: float
    validation_loss: float
    mcc: float
    n: int
    losses: dict[str, float] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[float, float]:
        """The best epoch has the highest: by MCC, then by validation loss."""
        return self.mcc, -self.validation_loss


@dataclass(frozen=True)
class ValidationMetrics:
    """Focal loss without smoothing, and MCC, over `n` images."""

    loss: float
    mcc: float
    n: int


def evaluate(
    model: FullModel, loader: "DataLoader[Batch]", accelerator: Accelerator, gamma: float
) -> ValidationMetrics:
    """Metrics on all images of a loader, gathered from all processes.

    Args:
        model: in evaluation mode when this returns.
        loader: prepared by the accelerator.
        accelerator: of the processes.
        gamma: of the focal loss.
    """
    all_logits, truth = _logits(model, loader, accelerator)
    classes = predicted_class(all_logits.softmax(dim=1)[:, 1].numpy())
    return ValidationMetrics(
        loss=float(focal_loss(all_logits, soft_labels(truth), gamma)),
        mcc=mcc(confusion_counts(classes, truth.numpy())),
        n=len(truth),
    )


def probabilities(
    model: FullModel, loader: "DataLoader[Batch]", accelerator: Accelerator
) -> Floats:
    """The probability of roadwork of all images of a loader in their order, (n,), as `evaluate`."""
    answers: Floats = _logits(model, loader, accelerator)[0].softmax(dim=1)[:, 1].numpy()
    return answers


def _logits(
    model: FullModel, loader: "DataLoader[Batch]", accelerator: Accelerator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, float64 (n, 2), and labels, int64 (n,), of all images, gathered on the processor."""
    model.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for batch in batches_of(loader):
            output = model(batch.inputs, batch.views, batch.metadata)
            both = accelerator.gather_for_metrics((output.logits, batch.labels))
            logits.append(both[0].cpu().double())
            labels.append(both[1].cpu())
    return torch.cat(logits), torch.cat(labels)
