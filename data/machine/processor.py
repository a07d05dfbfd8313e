"""Identify the processor, as the last bits of a model's float answers may depend on it."""

import platform
import subprocess
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_NAME_KEYS = ("model name", "Model", "cpu model", "Hardware")
_FLAG_KEYS = ("flags", "Features")
# Widest first: tensor libraries choose their code by these.
_VECTOR_EXTENSIONS = ("avx512f", "avx2", "avx", "sse4_2", "sve", "asimd", "neon")


@cache
def processor() -> dict[str, str | None]:
    """Its `name` by the system, the `machine` type, and its widest known vector extension."""
    cpuinfo = _cpuinfo()
    name = next((cpuinfo[key] for key in _NAME_KEYS if cpuinfo.get(key)), None)
    flags = " ".join(cpuinfo.get(key, "") for key in _FLAG_KEYS).split()
    vectors = next((extension for extension in _VECTOR_EXTENSIONS if extension in flags), None)
    name = name or _darwin_name() or platform.processor() or None
    return {"name": name, "machine": platform.machine() or None, "vectors": vectors}


def _cpuinfo() -> dict[str, str]:
    """The first value of each key of /proc/cpuinfo; empty where there is no such file."""
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
