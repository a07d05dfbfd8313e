"""Rebuilt challenges as JPEG files, with hashes that anyone can check."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.records import Geometry
from data.sources import Shards
from data.whole_files import write_whole
from replay.augment import SIDE
from replay.fidelity import Fidelity
from replay.plan import Planned, in_reading_order
from replay.rebuild import CannotRebuildError, Rebuilder, RebuiltImage, merge
from replay.variants import UNDISTORTED, Drawn


@dataclass(frozen=True)
class Rendered:
    """What became of one challenge; the lists are parallel, an entry an image.

    `weights` are the probabilities of a distribution's images, equal ones merged, and sum to 1;
    `noisy` images hold noise of our own drawing, which miners did not see.
    """

    challenge_id: str
    file: str
    position: int
    fidelity: str
    reason: str | None
    detail: str | None = None
    pixels_sha256: list[str] = field(default_factory=list)
    jpeg_sha256: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    noisy: list[bool] = field(default_factory=list)


def render(
    planned: Iterable[Planned],
    shards: Shards,
    out: Path,
    seed: int = 0,
    side: int = SIDE,
    tell: Callable[[], None] = lambda: None,
) -> list[Rendered]:
    """Write `<challenge_id>.jpg`, or `<challenge_id>-<k>.jpg` for each of several possible images.

    Args:
        planned: what to render; the result is in this order, the work in that of the shards.
        shards: the source images.
        out: folder of the JPEGs, made if need be.
        seed: of the noise of level 3.
        side: of the images, in pixels. Another than 224 is not what miners saw: fidelity and file
            names say so, and of levels 2 and 3 it is the image before its distortions.
        tell: called after each challenge.
    """
    wanted = list(planned)
    out.mkdir(parents=True, exist_ok=True)
    rebuilder = Rebuilder(shards, seed, side)
    done: dict[str, Rendered] = {}
    for item in in_reading_order(wanted):
        done[item.challenge.challenge_id] = _render(item, rebuilder, out, side)
        tell()
    return [done[item.challenge.challenge_id] for item in wanted]


def at_side(item: Planned, side: int) -> tuple[Fidelity, tuple[Drawn, ...]]:
    """The fidelity and the images of a challenge with images, where these have `side` pixels."""
    # what was not augmented is of source size, whatever the side
    if side == SIDE or item.challenge.augmentation.geometry is Geometry.NONE:
        return item.fidelity, item.drawn
    return Fidelity.UNSEEN, (UNDISTORTED,)


def _render(item: Planned, rebuilder: Rebuilder, out: Path, side: int) -> Rendered:
    challenge = item.challenge
    place = (challenge.challenge_id, challenge.file, challenge.position)
    if item.fidelity is Fidelity.IMPOSSIBLE:
        return Rendered(*place, item.fidelity, item.reason, item.detail)
    fidelity, drawn = at_side(item, side)
    try:
        built = [rebuilder.rebuild(challenge, one) for one in drawn]
    except CannotRebuildError as error:
        return Rendered(*place, Fidelity.IMPOSSIBLE, error.reason, error.detail)
    merged = merge(built, drawn)
    unseen = f"-unseen-{side}" if fidelity is Fidelity.UNSEEN else ""
    return Rendered(
        *place,
        fidelity,
        None,
        None,
        [one.image.pixels_sha256 for one in merged],
        [one.image.jpeg_sha256 for one in merged],
        _write(f"{challenge.challenge_id}{unseen}", [one.image for one in merged], out),
        [one.weight for one in merged],
        [one.noisy for one in merged],
    )


def _write(name: str, images: Sequence[RebuiltImage], out: Path) -> list[str]:
    several = len(images) > 1
    paths = [out / f"{name}{f'-{k:03d}' if several else ''}.jpg" for k in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        write_whole(path, image.jpeg, synced=False)
    return [str(path) for path in paths]
