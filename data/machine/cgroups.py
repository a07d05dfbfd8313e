"""Find the Linux control groups that limit this process: its own and those that contain them.

A container is a control group. On other systems there are none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class ControlGroup:
    """A control group's folder, and the version of its interface: file names differ by it."""

    folder: Path
    version: int

    def text(self, name: str) -> str:
        """The text of one of its files; empty where it cannot be read."""
        return _text(self.folder / name)


def control_groups(
    controller: str, root: Path | None = None, own: Path | None = None
) -> Iterator[ControlGroup]:
    """The groups by which a controller such as `cpu` or `memory` limits this process.

    Args:
        controller: its name.
        root: where the control groups are mounted [default: `ROOT`].
        own: names the groups of this process, a line `hierarchy:controllers:path` each
            [default: `OWN`].
    """
    for line in _text(own or OWN).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        # version 2 names no controllers and has one hierarchy
        version = 1 if controllers else 2
        folder = (root or ROOT) / (controller if controllers else "")
        yield ControlGroup(folder, version)
        # in a container the path may be the host's while the mount is the container's own group
        for part in path.split("/"):
            if part not in ("", ".."):
                folder = folder / part
                yield ControlGroup(folder, version)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
