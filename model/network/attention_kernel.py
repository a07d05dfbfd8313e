"""Which kernel torch takes for attention: a fast one needs bfloat16 on a GPU, and no mask."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend

from model.network.settings import ModelSettings

_NAMES = {
    SDPBackend.MATH: "math",
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "memory-efficient",
    SDPBackend.CUDNN_ATTENTION: "cuDNN",
}


@dataclass(frozen=True)
class AttentionKernels:
    """The kernels of a model's attention: where all views are seen, and where some are masked.

    The fusion's cross-attention is masked in either case: no view attends to itself there.
    """

    device: str
    all_seen: str
    masked: str


def attention_kernels(settings: ModelSettings, device: torch.device) -> AttentionKernels:
    """The kernels that a model of these settings takes on a device, in inference."""
    # as `gated_attention` has it: a processor attends in float32 in any precision
    in_bf16 = settings.precision == "bf16" and device.type != "cpu"
    kind = torch.bfloat16 if in_bf16 else torch.float32
    head_width, views = settings.width // settings.heads, settings.views
    query = torch.zeros(1, settings.heads, views, head_width, dtype=kind, device=device)
    shared = query[:, : settings.kv_heads].clone()
    mask = torch.ones(1, 1, views, views, dtype=torch.bool, device=device)
    return AttentionKernels(
        str(device),
        attention_kernel(query, shared, shared),
        attention_kernel(query, shared, shared, mask),
    )


def attention_kernel(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
) -> str:
    """The kernel that `scaled_dot_product_attention` takes for these tensors, by torch itself.

    Args:
        query: (B, heads, V, head_width).
        key: (B, kv_heads, V, head_width); fewer heads than the query's are shared.
        value: likewise.
        mask: bool, True where attention is allowed; None: everywhere.

    Returns:
        flash, memory-efficient, cuDNN or math (not fused).
    """
    shared = query.shape[1] != key.shape[1]
    # `torch.backends.cuda.can_use_flash_attention` knows GPUs only, and not which one is preferred.
    choice = torch._fused_sdp_choice(query, key, value, mask, enable_gqa=shared)
    return _NAMES.get(SDPBackend(choice), f"kernel {choice}")
