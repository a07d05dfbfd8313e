"""A digest of all source files that a compiled function depends on, to know when to compile again.

Numba copies called functions, and constants of other files, into the caller's machine code. So a
cached function is valid for its own file and every file of the project that it imports.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# The folder of the project's packages; once installed, other libraries lie beside them.
_ROOT = Path(__file__).parents[1]
_PACKAGES = ("data", "analytics", "replay", "model")

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^(\n]*)"
    r"|import[ \t]+(?P<modules>[^\n]+))",
    re.MULTILINE,
)
_NAME = re.compile(r"[\w.]+")


def sources_digest(file: Path) -> str:
    """SHA-256, in hexadecimal, of a file of the project and of all project files that it imports.

    Imports are followed wherever they stand in a file. Text that only looks like an import counts
    as one; then a function is compiled once more than necessary. Files count by their path from the
    project's root, so that the digest does not depend on where the project lies.
    """
    sources: set[Path] = set()
    waiting = [file.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in sources:
            sources.add(path)
            waiting += _read(path)[1]
    digest = hashlib.sha256()
    for path in sorted(sources):
        name = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path
        digest.update(f"{name.as_posix()} {_read(path)[0]}\n".encode())
    return digest.hexdigest()


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """The SHA-256 of a file's content, and the project files that it imports."""
    content = path.read_bytes()
    imported = tuple(dict.fromkeys(_imported(path, content.decode("utf-8"))))
    return hashlib.sha256(content).hexdigest(), imported


def _imported(path: Path, text: str) -> Iterator[Path]:
    for statement in _IMPORT.finditer(text):
        if (module := statement["module"]) is None:
            for name in _NAME.findall(statement["modules"]):
                yield from _files(_module_path(path, name))
            continue
        base = _module_path(path, module)
        yield from _files(base)
        for name in _NAME.findall(statement["names"]):
            yield from _files(base / name)


def _module_path(path: Path, module: str) -> Path:
    """The path of a module without its suffix; leading dots count from the importing file."""
    inner = module.lstrip(".")
    dots = len(module) - len(inner)
    start = _ROOT if dots == 0 else path.parents[dots - 1]
    return start.joinpath(*filter(None, inner.split(".")))


def _files(module: Path) -> Iterator[Path]:
    """The file of a module, if the project has it; a package's file is its `__init__.py`."""
    if not any(module.is_relative_to(_ROOT / package) for package in _PACKAGES):
        return
    for file in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
        if file.is_file():
            yield file
