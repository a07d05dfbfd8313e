"""What a compiled function is made of: its own file, and all of the project's that it imports.

Numba writes functions that are called, and values of other files, into the machine code of the
caller. So what is kept of a compiled function is good for exactly these sources.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Where the project's packages lie; other libraries may lie beside them, once it is installed.
_ROOT = Path(__file__).parents[1]
_PACKAGES = ("data", "analytics", "replay", "model")

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^(\n]*)"
    r"|import[ \t]+(?P<modules>[^\n]+))",
    re.MULTILINE,
)
_NAME = re.compile(r"[\w.]+")


def sources_digest(file: Path) -> str:
    """SHA-256, in hexadecimal, of a file of the project and of all that it imports of the project.

    Imports are followed, wherever in a file they stand. Text that only looks like one is taken for
    one: then something is compiled once more than need be.
    """
    found: set[Path] = set()
    waiting = [file.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path)[1]
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(f"{path.name} {_read(path)[0]}\n".encode())
    return digest.hexdigest()


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """The digest of a file's content, and the files that it imports."""
    content = path.read_bytes()
    imported = tuple(dict.fromkeys(_imported(path, content.decode("utf-8"))))
    return hashlib.sha256(content).hexdigest(), imported


def _imported(path: Path, text: str) -> Iterator[Path]:
    for statement in _IMPORT.finditer(text):
        if (module := statement["module"]) is None:
            for name in _NAME.findall(statement["modules"]):
                yield from _files(_place(path, name))
            continue
        place = _place(path, module)
        yield from _files(place)
        for name in _NAME.findall(statement["names"]):
            yield from _files(place / name)


def _place(path: Path, module: str) -> Path:
    """Where a module lies, without its suffix; leading dots count from the importing file."""
    inner = module.lstrip(".")
    dots = len(module) - len(inner)
    start = _ROOT if dots == 0 else path.parents[dots - 1]
    return start.joinpath(*filter(None, inner.split(".")))


def _files(place: Path) -> Iterator[Path]:
    """The file of a module, if it is one of the project's; a package's own is `__init__.py`."""
    if not any(place.is_relative_to(_ROOT / package) for package in _PACKAGES):
        return
    for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if file.is_file():
            yield file
