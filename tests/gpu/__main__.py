"""`make gpu-check`: everything that runs on a GPU, against the CPU, within stated bounds.

Needs torch, torchvision, timm, transformers, safetensors, accelerate, peft, numpy, pillow and numba
only. Without a GPU it says so. Each subject has a file; `all_checks` lists them.
"""

import argparse
import sys
import time

import torch


def main() -> int:
    """Run the checks that the command line asks for; 1 if a bound is broken, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, or cpu: the script against itself")
    parser.add_argument("--quick", action="store_true", help="the smallest models and sizes")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="TEXT", help="checks whose name holds a text"
    )
    given = parser.parse_args()
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _say("gpu-check: no GPU that torch can use here, so nothing was checked")
        return 0
    # half a minute of imports on a busy machine, for nothing where there is no GPU
    from tests.gpu.all_checks import CHECKS  # noqa: PLC0415
    from tests.gpu.check import Target, run, table  # noqa: PLC0415

    start = time.perf_counter()
    # with its index, as the parameters of a module name it
    target = Target(torch.empty(0, device=device).device, given.quick)
    _say(f"gpu-check on {_described(device)}, torch {torch.__version__}, against the CPU")
    results = []
    chosen = [
        check
        for check in CHECKS
        if not given.only or any(text in check.name for text in given.only)
    ]
    for result in run(chosen, target):
        results.append(result)
        worst = result.error or f"{result.worst:.1e}"
        _say(f"  {result.name}, {result.precision}: {worst} ({result.seconds:.1f} s)")
    broken = [result for result in results if not result.holds]
    _say(f"\n{table(results)}")
    _say(
        f"\n{len(results) - len(broken)} of {len(results)} bounds hold, "
        f"in {time.perf_counter() - start:.0f} s"
    )
    return 1 if broken else 0


def _described(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device}, itself: a trial of the script"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
