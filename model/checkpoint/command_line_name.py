"""Names of checkpoints on the command line; a file of its own, because it must not import torch."""

import re
from dataclasses import dataclass
from pathlib import Path

from data.errors import RunError

PREFIX = "checkpoint:"
FORM = "[checkpoint:]DIR[#keep=N] (a checkpoint's folder)"

_OPTION = re.compile(r"(?P<folder>.*)#(?P<name>[a-z]+)=(?P<value>[^#=]*)")
_KEEP = "keep"


@dataclass(frozen=True)
class CheckpointName:
    """A checkpoint's folder, and how many views its backbone is run on; None is all."""

    folder: Path
    keep: int | None = None


def names_checkpoint(name: str) -> bool:
    """True for `checkpoint:DIR` and for any path that exists; a file is refused when loaded."""
    return name.startswith(PREFIX) or _split(name)[0].exists()


def parse_checkpoint_name(name: str) -> CheckpointName:
    """Folder and number of views of `[checkpoint:]DIR[#keep=N]`.

    Raises:
        RunError: another option than keep, or no whole number of at least 1.
    """
    folder, option, value = _split(name.removeprefix(PREFIX))
    if option is None:
        return CheckpointName(folder)
    if option != _KEEP or not (value.isascii() and value.isdigit() and int(value)):
        raise RunError(
            "--model", found=f"{option}={value}", expected="keep=N, N views of the backbone from 1"
        )
    return CheckpointName(folder, int(value))


def _split(name: str) -> tuple[Path, str | None, str]:
    """A folder and an option with its value, if any; a folder's name may hold a # itself."""
    path, match = Path(name).expanduser(), _OPTION.fullmatch(name)
    if match is None or path.is_dir():
        return path, None, ""
    return Path(match["folder"]).expanduser(), match["name"], match["value"]
