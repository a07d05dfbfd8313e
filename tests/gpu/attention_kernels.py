"""Which kernels attention really ran, by the names of torch's own events."""

from collections import Counter
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

# The processor's kernel has a name of its own.
KERNELS = {
    "aten::_scaled_dot_product_flash_attention": "flash",
    "aten::_scaled_dot_product_flash_attention_for_cpu": "flash",
    "aten::_scaled_dot_product_cudnn_attention": "cuDNN",
    "aten::_scaled_dot_product_efficient_attention": "memory-efficient",
    "aten::_scaled_dot_product_attention_math": "math",
}
HALF_PRECISION_KERNELS = ("flash", "cuDNN")
"""Those that on a GPU take bfloat16 only, and no mask; which of them it is, torch decides."""


def kernels_that_ran(work: Callable[[], object]) -> Counter[str]:
    """How often each kernel of attention ran in `work`."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        work()
    names = [event.name for event in profiled.events() or ()]
    return Counter(KERNELS[name] for name in names if name in KERNELS)
