"""What a GPU does a second, in at most 8 minutes: `python -m tests.bench.gpu`.

First a replay of a drawn store with the largest backbone (ViT-H+ of DINOv3, random weights, bf16,
compiled blocks) end to end, beside its backbone alone and the fastest bf16 product; then what the
candidate takes without rebuilding, `hf:` ViT-B by `--batch-size`, a usual backbone, and training.

Every line is printed as soon as it is measured, the whole as a table at the end. A stage that takes
too long is stopped. `--device cpu --quick` tries the script on a processor with tiny models.
"""

import argparse
import os
import sys
import time

import timm
import torch
import transformers

from replay.candidates.float32 import processor_name
from tests.bench.devices.backbones import largest_stage, usual_stage
from tests.bench.devices.candidates import checkpoint_stage, replay_stage, transformers_stage
from tests.bench.devices.measurements import Measurement, Stage, run_stages, table
from tests.bench.devices.training import loader_stage, step_stage
from tests.gpu.check import Target, product_rate

MINUTES = 8.0
# for the start of Python, the product and the table
_RESERVED_SECONDS = 30.0

STAGES = (
    Stage("the largest backbone", 120, largest_stage),
    Stage("replay end to end", 180, replay_stage),
    Stage("checkpoint", 60, checkpoint_stage),
    Stage("hf:", 60, transformers_stage),
    Stage("a usual backbone", 40, usual_stage),
    Stage("a training step", 60, step_stage),
    Stage("training with a loader", 60, loader_stage),
)


def measure(target: Target, minutes: float = MINUTES) -> None:
    """Print all measurements."""
    start = time.perf_counter()
    _say(
        f"{processor_name(target.device)}, {os.cpu_count()} cores; torch {torch.__version__}, "
        f"timm {timm.__version__}, transformers {transformers.__version__}"
    )
    rate = product_rate(target)
    measured = []
    for given in run_stages(STAGES, target, rate, 60 * minutes - _RESERVED_SECONDS):
        if isinstance(given, Measurement):
            measured.append(given)
            _say(f"  {given.name}: {given.images:.1f} images/s")
        else:
            _say(f"  {given}")
    _say(f"\n{table(measured, rate)}\nin {time.perf_counter() - start:.0f} s")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure what the command line names; without a GPU say so."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="the smallest models and sizes")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="that it may take")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        _say("no GPU that torch can use here, so nothing was measured")
        return 0
    # with its index, as the parameters of a module name it
    measure(Target(torch.empty(0, device=given.device).device, given.quick), given.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
