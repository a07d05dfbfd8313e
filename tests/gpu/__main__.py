"""`make gpu-check`: everything that runs on a GPU, against the CPU, within stated bounds.

Needs torch, torchvision, timm, transformers, safetensors, numpy, pillow and numba only. Without a
GPU it says so. Subjects stand in a file each, `subjects` names them.
"""

import argparse
import sys
import time

import torch


def main() -> int:
    """Run what the command line asks for: 0 if every bound holds, or there is no GPU; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, or cpu: the script against itself")
    parser.add_argument("--quick", action="store_true", help="the smallest models and sizes")
    parser.add_argument("--only", default="", help="checks whose name holds this text")
    given = parser.parse_args()
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _say("gpu-check: no GPU that torch can use here, so nothing was checked")
        return 0
    # half a minute of imports on a busy machine, for nothing where there is no GPU
    from tests.gpu import throughput  # noqa: PLC0415
    from tests.gpu.check import Setting, run, table  # noqa: PLC0415
    from tests.gpu.subjects import CHECKS  # noqa: PLC0415

    start = time.perf_counter()
    # with its index, as the parameters of a module name it
    setting = Setting(torch.empty(0, device=device).device, given.quick)
    _say(f"gpu-check on {_described(device)}, torch {torch.__version__}, against the CPU")
    rows = []
    for row in run([one for one in CHECKS if given.only in one.name], setting):
        rows.append(row)
        worst = row.error or f"{row.worst:.1e}"
        _say(f"  {row.name}, {row.precision}: {worst} ({row.seconds:.1f} s)")
    if not given.only:
        for line in throughput.lines(setting):
            _say(line)
    broken = [row for row in rows if not row.holds]
    _say(f"\n{table(rows)}")
    _say(
        f"\n{len(rows) - len(broken)} of {len(rows)} bounds hold, "
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
