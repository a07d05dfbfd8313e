"""Rebuilt challenges as JPEG files, with hashes that anyone can check."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data.atomic_files import write_atomic
from data.errors import RunError
from data.records.stored_challenge import StoredChallenge
from data.records.types import Geometry
from data.sources.shards import Shards
from replay.augmentation.augment import SIDE
from replay.pictures.image_folders import ImageFolders, image_folders
from replay.plans.plan import Plan, Planned
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.rebuild import (
    CannotRebuildError,
    Rebuilder,
    RebuiltImage,
    distinct_images,
    pixels_sha256,
)
from replay.rebuilding.variants import UNDISTORTED, Variant
from replay.settings import Arithmetic


@dataclass(frozen=True)
class RenderSettings:
    """How images are built.

    `seed` is that of the noise of level 3, `arithmetic` that of the validator's processor, `side`
    the images' width and height in pixels. Another side than 224 is not what miners saw: fidelity
    and file names say so, and of levels 2 and 3 it is the image before its distortions.
    """

    seed: int = 0
    side: int = SIDE
    arithmetic: Arithmetic = Arithmetic.AVX2


@dataclass(frozen=True)
class Rendered:
    """The images written of one challenge, or why there are none; lists hold an entry per image.

    `weights` are the probabilities of a distribution's images, equal ones merged, and sum to 1;
    `noisy` images hold simulated noise, which miners did not see. `pixels_sha256_other`
    are the same images by the other arithmetic, and `values_differing` how many of their bytes
    (150,528 at 224 x 224) are not those of this one.
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
    pixels_sha256_other: list[str] = field(default_factory=list)
    values_differing: list[int] = field(default_factory=list)


def render(
    plan: Plan,
    shards: Shards,
    out: Path,
    settings: RenderSettings = RenderSettings(),
    on_progress: Callable[[], None] = lambda: None,
) -> list[Rendered]:
    """Rebuild challenges as JPEG files.

    They are named `<challenge_id>.jpg`, or `<challenge_id>-<k>.jpg` where several are possible; of
    more than a thousand each lies in a subfolder, see `image_folders`.

    Other images that an earlier render has left of a challenge that has images are deleted: they
    are no longer what is possible, or no longer by these names.

    Args:
        plan: what to render; the result is in this order, the work in that of the shards.
        shards: the source images.
        out: folder of the JPEGs, made if need be.
        settings: how.
        on_progress: called after each challenge.
    """
    out.mkdir(parents=True, exist_ok=True)
    rebuilder = Rebuilder(shards, settings.seed, settings.side, settings.arithmetic)
    counts = {
        _stem(item, settings.side): len(fidelity_and_variants(item, settings.side)[1])
        for item in plan
        if item.fidelity is not Fidelity.IMPOSSIBLE
    }
    folders = image_folders(out, counts)
    done: dict[int, Rendered] = {}
    for position, item in plan.in_reading_order():
        done[position] = _render(item, rebuilder, folders, settings)
        on_progress()
    return [done[position] for position in range(len(plan))]


def check_rendered(rendered: Sequence[Rendered]) -> None:
    """Make sure that something was rendered.

    Raises:
        RunError: no image at all, with the reasons.
    """
    if any(result.files for result in rendered):
        return
    reasons = Counter(str(result.reason) for result in rendered).most_common()
    words = ", ".join(f"{reason} {count}" for reason, count in reasons)
    raise RunError(
        f"render of {len(rendered)} challenges",
        found=f"an image for none of them{f' ({words})' if words else ''}",
        expected="challenges whose source images are here",
        remedy="`streetreplay sources` lists what a log needs",
    )


def fidelity_and_variants(item: Planned, side: int) -> tuple[Fidelity, tuple[Variant, ...]]:
    """The fidelity and the possible images of a challenge, for images of `side` pixels a side."""
    # what was not augmented is of source size, whatever the side
    if side == SIDE or item.challenge.augmentation.geometry is Geometry.NONE:
        return item.fidelity, item.variants
    return Fidelity.UNSEEN, (UNDISTORTED,)


def _stem(item: Planned, side: int) -> str:
    """What the names of a challenge's images begin with."""
    fidelity, _ = fidelity_and_variants(item, side)
    unseen = f"-unseen-{side}" if fidelity is Fidelity.UNSEEN else ""
    return f"{item.challenge.challenge_id}{unseen}"


def _render(
    item: Planned, rebuilder: Rebuilder, folders: ImageFolders, settings: RenderSettings
) -> Rendered:
    challenge = item.challenge
    if item.fidelity is Fidelity.IMPOSSIBLE:
        return _without_image(challenge, item.reason, item.detail)
    fidelity, variants = fidelity_and_variants(item, settings.side)
    try:
        built = [rebuilder.rebuild(challenge, variant) for variant in variants]
        others = [
            rebuilder.pixels(challenge, variant, settings.arithmetic.other)
            for variant in _first_of_each(built, variants)
        ]
    except CannotRebuildError as error:
        return _without_image(challenge, error.reason, error.detail)
    distinct = distinct_images(built, variants)
    images = [entry.image for entry in distinct]
    return Rendered(
        challenge.challenge_id,
        challenge.file,
        challenge.position,
        fidelity,
        reason=None,
        pixels_sha256=[image.pixels_sha256 for image in images],
        jpeg_sha256=[image.jpeg_sha256 for image in images],
        files=_write(_stem(item, settings.side), images, folders),
        weights=[entry.weight for entry in distinct],
        noisy=[entry.noisy for entry in distinct],
        pixels_sha256_other=[pixels_sha256(pixels) for pixels in others],
        values_differing=[
            int(np.count_nonzero(image.pixels != pixels))
            for image, pixels in zip(images, others, strict=True)
        ],
    )


def _without_image(
    challenge: StoredChallenge, reason: Reason | None, detail: str | None
) -> Rendered:
    return Rendered(
        challenge.challenge_id,
        challenge.file,
        challenge.position,
        Fidelity.IMPOSSIBLE,
        reason,
        detail,
    )


def _first_of_each(images: Sequence[RebuiltImage], variants: Sequence[Variant]) -> list[Variant]:
    """The first variant of each distinct image, in the order of `distinct_images`."""
    first: dict[bytes, Variant] = {}
    for image, variant in zip(images, variants, strict=True):
        first.setdefault(image.pixels.tobytes(), variant)
    return list(first.values())


def _write(stem: str, images: Sequence[RebuiltImage], folders: ImageFolders) -> list[str]:
    """Write a challenge's images, and delete others of it; the paths."""
    paths = folders.paths(stem, len(images))
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    for path, image in zip(paths, images, strict=True):
        write_atomic(path, image.jpeg, synced=False)
    folders.delete_others(stem, paths)
    return [str(path) for path in paths]
