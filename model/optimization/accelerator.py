"""accelerate's view of the machine: processes, device, accumulation of gradients, trackers."""

from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import (
    DistributedDataParallelKwargs,
    InitProcessGroupKwargs,
    get_int_from_env,
)

from model.optimization.config import TrainingConfig

# How long a process waits for another: the main one alone makes features, which may take hours.
_PATIENCE = timedelta(days=2)


def make_accelerator(config: TrainingConfig, **options: Any) -> Accelerator:
    """The accelerator of a training.

    Precision is the model's own (`ModelSettings.precision`), not accelerate's. Several processes
    without a GPU train together on the processor: accelerate would let each train by itself.
    """
    if get_int_from_env(["WORLD_SIZE"], 1) > 1 and not torch.accelerator.is_available():
        options.setdefault("cpu", True)
    return Accelerator(
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
