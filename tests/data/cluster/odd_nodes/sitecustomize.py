"""Makes a node of a cluster odd, as the variable `ODD_NODE` says; Python imports it at its start.

`without project`: no module of this project can be imported. `other version`: of orjson.
`without PATH`: no file at or under a path can be opened.
"""

import errno
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import Any

_PACKAGES = ("analytics", "data", "model", "replay")


class _NoModules:
    """A finder of modules that raises what Python does where it has none."""

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: Any = None) -> None:
        if name.partition(".")[0] in _PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _other_version(package: str) -> str:
    return "0.0.1" if package == "orjson" else _version(package)


def _hide(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(_hidden):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), arguments[0])


_odd, _, _hidden = os.environ.get("ODD_NODE", "").partition(" /")
_version = importlib.metadata.version
if _odd == "without project":
    sys.meta_path.insert(0, _NoModules())
elif _odd == "other version":
    importlib.metadata.version = _other_version  # type: ignore[assignment]
elif _odd == "without":
    _hidden = f"/{_hidden}"
    sys.addaudithook(_hide)
