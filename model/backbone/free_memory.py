"""Free memory of a device; of the processor within the limits of its control groups."""

import os
from pathlib import Path

import torch

from data.errors import RunError
from data.machine.cgroups import ControlGroup, control_groups

_MEMINFO = Path("/proc/meminfo")


def available_bytes(device: torch.device) -> int:
    """Free memory of a device; of the processor's what the machine and its cgroups leave."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free) + cached
    return min([_machine_bytes(), *_cgroup_bytes()])


def check_free_memory(needed: int, what: str) -> None:
    """Make sure that so many bytes of the processor's memory are free, for weights.

    Raises:
        RunError: there are fewer.
    """
    free = available_bytes(torch.device("cpu"))
    if needed > free:
        raise RunError(
            what,
            found=f"{free / 2**20:.0f} MiB of free memory",
            expected=f"{needed / 2**20:.0f} MiB",
            remedy="free some, or choose a smaller backbone",
        )


def _machine_bytes() -> int:
    if _MEMINFO.is_file():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    # Elsewhere only the whole is known without a further library: assume half of it is free.
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _cgroup_bytes() -> list[int]:
    """What each control group of this process leaves; none without one."""
    groups = control_groups("memory")
    return [free for group in groups if (free := _group_bytes(group)) is not None]


def _group_bytes(group: ControlGroup) -> int | None:
    names = ("memory.max", "memory.current")
    if group.version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    limit, usage = (group.text(name).strip() for name in names)
    if not (limit.isdigit() and usage.isdigit()):
        return None  # "max", or no such group
    # Pages of files count as used, and are given up when memory runs short.
    lines = group.text("memory.stat").splitlines()
    files = sum(int(line.split()[1]) for line in lines if line.split()[0] == "inactive_file")
    return max(0, int(limit) - int(usage) + files)
