"""Means of the losses of an epoch's batches."""

from collections.abc import Sequence
from typing import Any

import torch
from accelerate import Accelerator

from model.optimization.batch_loss import PartLoss

_TOTAL = "total"


class LossMeans:
    """Adds up losses on their device; a number is fetched only where one is asked for."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sums: dict[str, torch.Tensor] = {}
        self._last: torch.Tensor | None = None
        self._count = 0

    @property
    def last(self) -> float:
        """The total of the last batch; waits for a GPU."""
        return float("nan") if self._last is None else float(self._last)

    def add(self, parts: Sequence[PartLoss]) -> None:
        """Add the losses of a batch, all of its parts."""
        terms = [
            {name: part.share * loss.detach() for name, loss in part.losses.by_name().items()}
            | {_TOTAL: part.total.detach()}
            for part in parts
        ]
        for name in terms[0]:
            of_batch = torch.stack([term[name].double() for term in terms]).sum()
            self._sums[name] = self._sums.get(name, 0) + of_batch
        self._last = torch.stack([term[_TOTAL] for term in terms]).sum()
        self._count += 1

    def means(self, accelerator: Accelerator) -> dict[str, float]:
        """The mean of each loss over batches and processes, by name; `total` is the whole."""
        return {
            name: float(accelerator.reduce(value / self._count, "mean"))
            for name, value in sorted(self._sums.items())
        }

    def state(self) -> dict[str, Any]:
        """What `restored` goes on from, on the processor."""
        sums = {name: value.cpu() for name, value in self._sums.items()}
        return {"sums": sums, "count": self._count}

    @classmethod
    def restored(cls, state: dict[str, Any], device: torch.device) -> "LossMeans":
        """The means as they stood when `state` was taken."""
        means = cls()
        means._sums = {name: value.to(device) for name, value in state["sums"].items()}
        means._count = state["count"]
        return means
