"""Which processor this is: the last bits of a model's float answers may be its own."""

import platform
import subprocess
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_NAME_KEYS = ("model name", "Model", "cpu model", "Hardware")
_FLAG_KEYS = ("flags", "Features")
# Widest first: what libraries for tensors choose their code by.
_VECTOR_EXTENSIONS = ("avx512f", "avx2", "avx", "sse4_2", "sve", "asimd", "neon")


@cache
def processor() -> dict[str, str | None]:
    """Its `name` as the system tells it, the `machine` type, and its widest known `vectors`."""
    cpuinfo = _cpuinfo()
    name = next((cpuinfo[key] for key in _NAME_KEYS if cpuinfo.get(key)), None)
    flags = " ".join(cpuinfo.get(key, "") for key in _FLAG_KEYS).split()
    vectors = next((one for one in _VECTOR_EXTENSIONS if one in flags), None)
    known = name or _darwin_name() or platform.processor() or None
    return {"name": known, "machine": platform.machine() or None, "vectors": vectors}


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor; nothing on other systems."""
    try:
        lines = _CPUINFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    cpuinfo: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        cpuinfo.setdefault(key.strip(), value.strip())
    return cpuinfo


def _darwin_name() -> str | None:
    if platform.system() != "Darwin":
        return None
    words = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
