"""Peak memory of the running process."""

from pathlib import Path

_KIBIBYTES = 1024


def peak_mebibytes() -> float:
    """Most memory that this process held so far (Linux)."""
    # getrusage would give the parent's, where that was larger when it started this process
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIBIBYTES
    raise SystemExit("no VmHWM in /proc/self/status: this bench needs Linux")
