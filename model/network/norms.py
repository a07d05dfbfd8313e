"""The norms of the model, with their epsilon stated: torch's own for RMSNorm hangs on the type."""

from torch import nn

# That of Qwen3's norms.
_RMS_EPSILON = 1e-6
# That of torch, which every checkpoint was trained with.
_LAYER_EPSILON = 1e-5


def rms_norm(width: int) -> nn.RMSNorm:
    """RMSNorm over the last axis (Zhang & Sennrich, arXiv 1910.07467)."""
    return nn.RMSNorm(width, eps=_RMS_EPSILON)


def layer_norm(width: int) -> nn.LayerNorm:
    """LayerNorm over the last axis (Ba et al., arXiv 1607.06450)."""
    return nn.LayerNorm(width, eps=_LAYER_EPSILON)
