"""Which processor this is: the last bits of a model's float answers may be its own."""

import platform
import subprocess
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_NAMES = ("model name", "Model", "cpu model", "Hardware")
_FLAGS = ("flags", "Features")
# Widest first: what libraries for tensors choose their code by.
_VECTORS = ("avx512f", "avx2", "avx", "sse4_2", "sve", "asimd", "neon")


@cache
def processor() -> dict[str, str | None]:
    """Its `name` as the system tells it, the `machine` type, and its widest known `vectors`."""
    told = _told()
    name = next((told[key] for key in _NAMES if told.get(key)), None)
    flags = " ".join(told.get(key, "") for key in _FLAGS).split()
    vectors = next((one for one in _VECTORS if one in flags), None)
    known = name or _darwin() or platform.processor() or None
    return {"name": known, "machine": platform.machine() or None, "vectors": vectors}


def _told() -> dict[str, str]:
    """What Linux says of the first processor; nothing on other systems."""
    try:
        lines = _CPUINFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    told: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        told.setdefault(key.strip(), value.strip())
    return told


def _darwin() -> str | None:
    if platform.system() != "Darwin":
        return None
    words = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
