"""A multi-scale pyramid over the width of each view's token: full, half and quarter."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from model.network.norms import rms_norm


class WidthPyramid(nn.Module):
    """Full, half and quarter width, concatenated, fused and added: 512 + 256 + 128 -> 512.

    Each level is made from the one above it. Three linear maps of the same input would, side by
    side, be one wider linear map; only in a cascade is a narrower level a bottleneck.

    Args:
        width: of a token; divisible by 4.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.norm = rms_norm(width)
        self.full_width = nn.Linear(width, width)
        self.half_width = nn.Linear(width, half)
        self.quarter_width = nn.Linear(half, quarter)
        self.fuse = nn.Linear(width + half + quarter, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (B, V, width) with the fused levels added to them; each view by itself."""
        full = F.gelu(self.full_width(self.norm(tokens)))
        half = F.gelu(self.half_width(full))
        quarter = F.gelu(self.quarter_width(half))
        fused: torch.Tensor = self.fuse(torch.cat((full, half, quarter), dim=-1))
        return tokens + fused
