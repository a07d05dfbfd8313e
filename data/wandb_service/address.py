"""Addresses of what W&B's service holds: `wandb://ENTITY/PROJECT[/RUN]`."""

import re
from dataclasses import dataclass
from pathlib import Path

from data.errors import LogError
from data.text import printable

SCHEME = "wandb://"
_FORM = f"{SCHEME}ENTITY/PROJECT or {SCHEME}ENTITY/PROJECT/RUN"
# What W&B gives as names, and what may be the name of a folder everywhere: never `..` or `.x`.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_. -]{0,126}[A-Za-z0-9_-])?", re.ASCII)
_WEB = re.compile(r"https?://[^/]+/(?P<path>[^?#]+)")
_PROJECT_PARTS, _RUN_PARTS = 2, 3
_SHOWN = 100


@dataclass(frozen=True)
class ServiceAddress:
    """A project of the service, or one run of it, by its id."""

    entity: str
    project: str
    run: str | None = None

    def __str__(self) -> str:
        names = (self.entity, self.project, self.run)
        return SCHEME + "/".join(name for name in names if name is not None)

    @property
    def folder(self) -> Path:
        """Where this lies among downloads: a folder a name."""
        return Path(self.entity, self.project, *([] if self.run is None else [self.run]))


def log_place(text: str) -> Path | ServiceAddress:
    """What a person names as a log: a path, or an address of the service.

    Raises:
        LogError: it begins as an address does, and is none.
    """
    if web := _WEB.match(text):
        names = web["path"].replace("/runs/", "/").strip("/")
        raise LogError(
            printable(text, _SHOWN),
            found="an address of a web page",
            expected=_FORM,
            remedy=f"try {SCHEME}{printable(names, _SHOWN)}",
        )
    if not text.startswith(SCHEME):
        return Path(text)
    names = text.removeprefix(SCHEME).rstrip("/").split("/")
    if not (_PROJECT_PARTS <= len(names) <= _RUN_PARTS and all(map(is_name, names))):
        raise LogError(printable(text, _SHOWN), found="no such address", expected=_FORM)
    return ServiceAddress(*names)


def is_name(text: object) -> bool:
    """True for what may be the name of an entity, a project or a run, and of a folder."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
