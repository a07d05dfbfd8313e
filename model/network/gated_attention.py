"""Gated attention: a sigmoid gate on the output of attention, before the output projection.

Position G1 of Qiu et al., "Gated Attention for Large Language Models" (arXiv 2505.06708), as their
own code has it (qiuzh20/gated_attention, `Qwen3Attention.forward`; Qwen3-Next in transformers): the
gate comes from the same normed input as the queries and is specific to a head.

`timm.layers.AttentionRope(gated=True)` computes the same with elementwise gates (a test compares
them), but has no headwise gates and takes a matrix product for each of the four projections.
"""

import torch
from timm.layers.drop import DropPath
from torch import nn
from torch.nn import functional as F  # noqa: N812

from model.network.norms import rms_norm
from model.network.precision import computing_in
from model.network.settings import GateKind


class GatedAttention(nn.Module):
    """Grouped-query self-attention with QK-norm and a gated output.

    `projection` makes queries, keys, values and gates in one product, in this order, head by head.

    Args:
        width: of a token; divisible by `heads`.
        heads: query heads; divisible by `kv_heads`.
        kv_heads: heads of keys and values, each shared by `heads / kv_heads` query heads.
        gate: see `GateKind`.
    """

    def __init__(self, width: int, heads: int, kv_heads: int, gate: GateKind) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_width = heads, kv_heads, width // heads
        gates = width if gate == "elementwise" else heads
        shared = kv_heads * self.head_width
        self.parts = (width, shared, shared, gates)
        self.projection = nn.Linear(width, sum(self.parts), bias=False)
        self.query_norm = rms_norm(self.head_width)
        self.key_norm = rms_norm(self.head_width)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, normed: torch.Tensor, allowed: torch.Tensor | None = None) -> torch.Tensor:
        """The gated output of attention, for each view.

        Args:
            normed: (B, V, width), already normed, finite also where masked.
            allowed: bool, (B or 1, V or 1, V): True where the view of a row may attend to that of a
                column; None allows everything. A view that may attend to none receives zeros.

        Returns:
            (B, V, width), to be added to the tokens.
        """
        query, key, value, gate = self.projection(normed).split(self.parts, dim=-1)
        query = _normed_heads(query.unflatten(-1, (self.heads, -1)), self.query_norm)
        key = _normed_heads(key.unflatten(-1, (self.kv_heads, -1)), self.key_norm)
        value = value.unflatten(-1, (self.kv_heads, -1)).transpose(1, 2)
        attended = attend(query, key, value, allowed).transpose(1, 2)
        gate = gate.unflatten(-1, (self.heads, -1))  # (B, V, heads, head_width or 1)
        gated: torch.Tensor = self.output((attended * gate.sigmoid()).flatten(-2))
        return gated


def _normed_heads(states: torch.Tensor, norm: nn.RMSNorm) -> torch.Tensor:
    """(B, V, heads, head_width) -> (B, heads, V, head_width), normed in the weight's precision."""
    normed: torch.Tensor = norm(states.to(norm.weight.dtype))
    return normed.to(states.dtype).transpose(1, 2)


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, allowed: torch.Tensor | None
) -> torch.Tensor:
    """(B, heads, V, head_width), by PyTorch's fused kernels; zeros where no key is allowed."""
    if query.device.type == "cpu" and query.dtype == torch.bfloat16:
        # a processor's backward pass of bfloat16 attention loses more than bfloat16 gains elsewhere
        # (profiled with torch 2.15, AMX: 45 ms a call, against 3 in float32)
        with computing_in("fp32", query.device):
            attended = attend(query.float(), key.float(), value.float(), allowed)
        return attended.to(query.dtype)
    shared = query.shape[1] != key.shape[1]
    if allowed is None:
        return F.scaled_dot_product_attention(query, key, value, enable_gqa=shared)
    any_allowed = allowed.any(dim=-1, keepdim=True)
    # What a row without any key gives depends on the kernel (NaN in some): such a row is given all
    # keys, and its result is set to zero.
    attn_mask = (allowed | ~any_allowed)[:, None]
    attended = F.scaled_dot_product_attention(
        query, key, value, attn_mask=attn_mask, enable_gqa=shared
    )
    return attended * any_allowed[:, None]


class GatedLayer(nn.Module):
    """A pre-norm layer: gated attention, then a gated feed-forward (SwiGLU), as in Qwen3.

    Args:
        width: of a token.
        heads: query heads.
        kv_heads: heads of keys and values.
        gate: see `GateKind`.
        drop_path: the share of challenges that skip a branch in training (stochastic depth).
    """

    def __init__(
        self, width: int, heads: int, kv_heads: int, gate: GateKind, drop_path: float
    ) -> None:
        super().__init__()
        self.attention_norm = rms_norm(width)
        self.attention = GatedAttention(width, heads, kv_heads, gate)
        self.feed_norm = rms_norm(width)
        self.feed_in = nn.Linear(width, 4 * width, bias=False)
        self.feed_out = nn.Linear(2 * width, width, bias=False)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: torch.Tensor, allowed: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens (B, V, width) after the layer; `allowed` as in `GatedAttention`."""
        attended = self.attention(self.attention_norm(tokens), allowed)
        tokens = tokens + self.drop_path(attended)
        gate, value = self.feed_in(self.feed_norm(tokens)).chunk(2, dim=-1)
        after: torch.Tensor = tokens + self.drop_path(self.feed_out(F.silu(gate) * value))
        return after
