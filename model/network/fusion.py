"""GAFM, the gated fusion of the tokens of all views into one vector."""

import torch
from torch import nn

from model.network.gated_attention import GatedAttention
from model.network.norms import rms_norm
from model.network.precision import computing_in
from model.network.settings import GateKind

# Where all gates are near 0 the vector goes to zero, without a division by zero.
_LEAST_SUM = 1e-6


class GatedFusion(nn.Module):
    """Cross-view attention, self-attention, then the mean of the views weighted by their gates.

    In cross-view attention a view attends to the others only, in self-attention to all of them.

    Args:
        width: of a token.
        heads: query heads of both attentions.
        kv_heads: heads of keys and values.
        gate: the kind of gate inside both attentions, see `GateKind`.
    """

    def __init__(self, width: int, heads: int, kv_heads: int, gate: GateKind) -> None:
        super().__init__()
        self.gate_norm = rms_norm(width)
        self.gate = nn.Linear(width, 1)
        self.cross_norm = rms_norm(width)
        self.cross = GatedAttention(width, heads, kv_heads, gate)
        self.self_norm = rms_norm(width)
        self.self_attention = GatedAttention(width, heads, kv_heads, gate)

    def forward(
        self,
        tokens: torch.Tensor,
        mask: torch.Tensor | None = None,
        weight: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The fused vector of each challenge, and the gate of each view.

        Args:
            tokens: (B, V, width), finite also where masked.
            mask: bool (B, V), True where a view is given; None: all are.
            weight: (B, V), 1 or 0 as `mask` but with a gradient (see `TokenPruning`); None: `mask`.

        Returns:
            The fused vector (B, width), and the gates (B, V) in float32, 0..1. A masked view has
            gate and weight 0; where all are masked the fused vector is zero.
        """
        gates = self._gates(tokens)
        if mask is not None:
            gates = gates * (mask if weight is None else weight)
        allowed = None if mask is None else mask[:, None]
        others = ~torch.eye(tokens.shape[1], dtype=torch.bool, device=tokens.device)[None]
        crossed = tokens + self.cross(
            self.cross_norm(tokens), others if allowed is None else others & allowed
        )
        mixed = crossed + self.self_attention(self.self_norm(crossed), allowed)
        weights = gates / gates.sum(dim=1, keepdim=True).clamp_min(_LEAST_SUM)
        fused = (weights[..., None] * mixed.float()).sum(dim=1)
        return fused.to(tokens.dtype), gates

    def _gates(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, V) in float32 in any precision: gates of bfloat16 near 1 are 1/256 apart."""
        with computing_in("fp32", tokens.device):
            normed = self.gate_norm(tokens.to(self.gate.weight.dtype))
            gates: torch.Tensor = self.gate(normed).squeeze(-1).float().sigmoid()
        return gates
