"""Made-up inputs of the losses, for 4 challenges."""

import torch

LABELS = torch.tensor([0, 1, 1, 0])
CERTAIN = 300.0
"""A scale of logits at which the other class's probability rounds to 0."""


def logits(seed: int = 0, scale: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(4, 2, generator=generator)


def shares(seed: int = 0) -> torch.Tensor:
    """As MixUp hands them in: rows (4, 2) that sum to 1."""
    return torch.rand(4, 1, generator=torch.Generator().manual_seed(seed)) * torch.tensor(
        [1.0, -1.0]
    ) + torch.tensor([0.0, 1.0])


def views(seed: int = 0, scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits (4, 5, 2), gates (4, 5) and what is seen of 4 challenges; one view has a gate of 0."""
    generator = torch.Generator().manual_seed(seed)
    seen = torch.rand(4, 5, generator=generator) < 0.7
    seen[:, 0] = True
    gates = torch.rand(4, 5, generator=generator) * seen
    gates[1, 1] = 0
    return scale * torch.randn(4, 5, 2, generator=generator), gates, seen
