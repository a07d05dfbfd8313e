"""The source of a module and of what it imports, as a hash: an edited candidate is another one.

Modules are found as Python would find them, but none is run for that. What comes with Python or
lies where packages are installed is left out, as StreetReplay itself is: versions tell those.
"""

import ast
import hashlib
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

_OURS = ("analytics", "dashboards", "data", "model", "replay", "streetreplay")
_CHECKOUT = Path(__file__).resolve().parents[2]


def source_sha256(module: str) -> str:
    """SHA-256 of the files of a module and of the project's modules that it imports, anywhere.

    Names and contents count, folders do not. What a module imports by a name that it makes up, and
    files of data that it reads, are not seen: a candidate's own `fingerprint` is for those.

    Args:
        module: dotted, as in an import.
    """
    digest = hashlib.sha256()
    for name, file in sorted(_files(module).items()):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(module: str) -> dict[str, Path]:
    """By dotted name, the files of a module and of all that it imports."""
    files: dict[str, Path] = {}
    seen: set[str] = set()
    # A candidate inside this checkout is made of our modules too.
    ours = module.partition(".")[0] in _OURS
    waiting = list(_with_parents(module))
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        spec = _spec(name)
        file = None if spec is None or spec.origin is None else Path(spec.origin).resolve()
        if file is None or not file.is_file() or not _is_project(file, name, ours=ours):
            continue
        files[name] = file
        waiting += _imports(file, name, is_package=bool(spec and spec.submodule_search_locations))
    return files


def _is_project(file: Path, name: str, *, ours: bool) -> bool:
    if name.partition(".")[0] in _OURS and file.is_relative_to(_CHECKOUT):
        return ours
    return not any(file.is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> list[Path]:
    """Where Python's own modules lie, and where packages are installed."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return [Path(path).resolve() for name in names if (path := sysconfig.get_path(name))]


def _spec(name: str) -> ModuleSpec | None:
    """Where a module lies; None if it is not there. Nothing is imported."""
    first, *rest = name.split(".")
    try:
        spec = find_spec(first)
    except (ImportError, ValueError):  # a broken entry of sys.modules
        return None
    dotted = first
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        dotted = f"{dotted}.{part}"
        spec = PathFinder.find_spec(dotted, list(spec.submodule_search_locations))
    return spec


def _imports(file: Path, name: str, *, is_package: bool) -> Iterator[str]:
    """The dotted names that a file's import statements may mean, in functions too."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # compiled, or no Python: its bytes count
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, name, is_package=is_package)
            yield from _with_parents(base)
            # `from package import module`
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _base(node: ast.ImportFrom, name: str, *, is_package: bool) -> str:
    """The absolute name of the module that a `from` names, in the module of that `name`."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    kept = parts[: len(parts) - node.level + int(is_package)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _with_parents(name: str) -> Iterator[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`: Python runs a package before what is in it."""
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1) if parts[0])
