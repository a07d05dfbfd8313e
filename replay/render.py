"""Rebuilt challenges as JPEG files, with hashes that anyone can check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from data.sources import Shards
from replay.fidelity import Fidelity
from replay.plan import Planned, in_reading_order
from replay.rebuild import CannotRebuildError, Rebuilder


@dataclass(frozen=True)
class Rendered:
    """What became of one challenge; the three lists are parallel, an entry an image."""

    challenge_id: str
    file: str
    position: int
    fidelity: str
    reason: str | None
    detail: str | None = None
    pixels_sha256: list[str] = field(default_factory=list)
    jpeg_sha256: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def render(
    planned: Iterable[Planned],
    shards: Shards,
    out: Path,
    tell: Callable[[], None] = lambda: None,
) -> list[Rendered]:
    """Write `<challenge_id>.jpg` for every challenge that can be rebuilt exactly.

    Args:
        planned: what to render; the result is in this order, the work in that of the shards.
        shards: the source images.
        out: folder of the JPEGs, made if need be.
        tell: called after each challenge.
    """
    wanted = list(planned)
    out.mkdir(parents=True, exist_ok=True)
    rebuilder = Rebuilder(shards)
    done: dict[str, Rendered] = {}
    for item in in_reading_order(wanted):
        done[item.challenge.challenge_id] = _render(item, rebuilder, out)
        tell()
    return [done[item.challenge.challenge_id] for item in wanted]


def _render(item: Planned, rebuilder: Rebuilder, out: Path) -> Rendered:
    challenge = item.challenge
    place = (challenge.challenge_id, challenge.file, challenge.position)
    if item.fidelity is not Fidelity.EXACT:
        return Rendered(*place, item.fidelity, item.reason, item.detail)
    try:
        image = rebuilder.rebuild(challenge)
    except CannotRebuildError as error:
        return Rendered(*place, Fidelity.IMPOSSIBLE, error.reason, error.detail)
    path = out / f"{challenge.challenge_id}.jpg"
    path.write_bytes(image.jpeg)
    return Rendered(
        *place,
        item.fidelity,
        None,
        None,
        [image.pixels_sha256],
        [image.jpeg_sha256],
        [str(path)],
    )
