"""What came of one epoch of a training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch: mean loss of its steps; focal loss and signed MCC on `n` validation images."""

    epoch: int
    loss: float
    validation_loss: float
    mcc: float
    n: int
