"""Ends a training, as a kill does, at any of the moments that can be told apart from outside."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.optimization.trainer import Trainer

_CALLS = ("replace", "unlink", "mkdir", "rmdir", "fsync")


class Killed(BaseException):
    """Nothing catches it, as nothing does a kill."""


class KillSwitch:
    """Notes each change to the disk and each batch, and dies at one of them.

    A dead process changes nothing more, so no change that follows is done either: not even what
    `finally` would tidy up.
    """

    def __init__(self, out: Path, at: int | None = None) -> None:
        """Take the checkpoint's folder, and the number of the moment to die at, from 0."""
        self._out, self._at = out, at
        self.moments: list[str] = []

    def installed(self, patch: pytest.MonkeyPatch) -> None:
        """Watch until the patch is undone."""
        for name in _CALLS:
            patch.setattr(os, name, self._watched(getattr(os, name), self._place))
        batch = Trainer._batch
        patch.setattr(Trainer, "_batch", self._watched(batch, lambda *_: "batch"))

    def _watched(self, real: Callable[..., Any], place: Callable[..., str]) -> Callable[..., Any]:
        def watched(*args: Any, **options: Any) -> Any:
            if self._at is not None and len(self.moments) >= self._at:
                raise Killed
            self.moments.append(place(*args))
            return real(*args, **options)

        return watched

    def _place(self, *args: Any) -> str:
        """What a change to the disk belongs to."""
        path = args[-1]
        if isinstance(path, int):
            return "sync"
        name = Path(path).name
        if self._out in [Path(path), *Path(path).parents]:
            return "out"
        if "run.json" in name and "batch" in self.moments:
            return "outcome"
        known = {"state.pt": "state", "metrics.jsonl": "metrics", ".features": "clean-up"}
        for part, place in (known | {"best": "best"}).items():
            if part in (name if part != "best" else Path(path).parts):
                gone = place == "state" and name == "state.pt" and len(args) == 1
                return "clean-up" if gone else place
        return "other"
