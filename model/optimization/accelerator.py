"""accelerate's view of the machine: processes, device, accumulation of gradients, trackers."""

from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import (
    DistributedDataParallelKwargs,
    DistributedType,
    InitProcessGroupKwargs,
    get_int_from_env,
)

from data.errors import RunError
from model.optimization.config import TrainingConfig

# How long a process waits for another: the main one alone makes features, which may take hours.
_PATIENCE = timedelta(days=2)
# They part the weights among processes, or have a step of their own.
_REFUSED = {
    DistributedType.DEEPSPEED,
    DistributedType.FSDP,
    DistributedType.MEGATRON_LM,
    DistributedType.XLA,
}


def make_accelerator(config: TrainingConfig, **options: Any) -> Accelerator:
    """The accelerator of a training.

    Precision is the model's own (`ModelSettings.precision`), not accelerate's. Several processes
    without a GPU train together on the processor: accelerate would let each train by itself.

    Raises:
        RunError: a kind of training that this one's state and sums are not made for, or compiling
            without a compiler.
    """
    if config.training.compile:
        _check_compiler()
    if get_int_from_env(["WORLD_SIZE"], 1) > 1 and not torch.accelerator.is_available():
        options.setdefault("cpu", True)
    accelerator = Accelerator(
        mixed_precision="no",
        gradient_accumulation_steps=config.training.accumulation_steps,
        dynamo_backend="inductor" if config.training.compile else "no",
        kwargs_handlers=[
            # an image-only model leaves most of its metadata's encoder without a gradient
            DistributedDataParallelKwargs(find_unused_parameters=True),
            InitProcessGroupKwargs(timeout=_PATIENCE),
        ],
        **options,
    )
    if accelerator.distributed_type in _REFUSED:
        raise RunError(
            "accelerate's configuration",
            found=f"distributed type {accelerator.distributed_type.value}",
            expected="one process, or several that each hold the whole model (DDP)",
            remedy="accelerate launch --multi_gpu",
        )
    return accelerator


def _check_compiler() -> None:
    from torch._inductor.cpp_builder import get_cpp_compiler  # noqa: PLC0415  takes seconds
    from torch._inductor.exc import InvalidCxxCompiler  # noqa: PLC0415

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise RunError(
            "--compile",
            found="no C++ compiler",
            expected="g++ or clang++, or one that CXX names",
            remedy="install one, or leave out --compile",
        ) from None
