"""A contact sheet for people: each source with what was cut from it, and what became of that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from data.errors import StreetReplayError
from data.sources.shards import Shards
from data.whole_files import aside_of, written_aside
from replay.augmentation.augment import Pixels
from replay.pictures.jpeg_files import RenderSettings, at_side
from replay.pictures.placement import Placement, placement
from replay.plans.plan import Planned, in_reading_order
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.rebuild import CannotRebuildError, Merged, Rebuilder, merge
from replay.rebuilding.variants import UNDISTORTED

SUFFIXES = (".png", ".pdf", ".svg")

# Twice what the page has room for; a 12-megapixel source would take 36 MB.
_LONGEST = 1152
_DIGITS = 12  # of a weight, which is a sum


@dataclass(frozen=True)
class SheetSettings:
    """How much one sheet holds, and how images are built.

    `challenges` a sheet, `variants` a challenge; `images` says how they are built.
    """

    challenges: int = 12
    variants: int = 8
    images: RenderSettings = field(default_factory=RenderSettings)


@dataclass(frozen=True)
class Picture:
    """Pixels small enough for a page, and the true width and height of what they show."""

    pixels: Pixels
    size: tuple[int, int]


@dataclass(frozen=True)
class VariantPicture:
    """One possible image; `noisy` holds noise of our own drawing."""

    picture: Picture
    weight: float
    noisy: bool


@dataclass(frozen=True)
class Card:
    """One challenge on the sheet.

    `planned` tells its fidelity and, without an image, the reason, as the rebuild found them.
    `source` may be there without an image (a crop outside it). `rebuilt` is the image before
    distortions. `variants` are the most probable of `images` different ones, none below level 2.
    """

    planned: Planned
    source: Picture | None = None
    placed: Placement | None = None
    rebuilt: Picture | None = None
    variants: tuple[VariantPicture, ...] = ()
    images: int = 0


def check_sheet(path: Path) -> None:
    """Make sure that a sheet can be written, before any work is done for it.

    Raises:
        StreetReplayError: its suffix is none of `SUFFIXES`, or no file can be written there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise StreetReplayError(
            f"--sheet {path}",
            found=f"suffix {path.suffix}" if path.suffix else "no suffix",
            expected=f"one of {' '.join(SUFFIXES)}",
        )
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        aside_of(path).touch()
        aside_of(path).unlink()
    except OSError as error:
        raise StreetReplayError(
            f"--sheet {path}", found=error.strerror, expected="a file that can be written"
        ) from None


def draw_sheet(
    planned: Sequence[Planned],
    shards: Shards,
    path: Path,
    settings: SheetSettings = SheetSettings(),
    on_progress: Callable[[], None] = lambda: None,
) -> str:
    """Draw the first challenges of a plan on one sheet; an earlier file is replaced.

    Args:
        planned: the challenges, in the order of the sheet.
        shards: the source images.
        path: of the sheet; its suffix is its format.
        settings: how much it holds.
        on_progress: called after each challenge.

    Returns:
        A line for a person: how many of how many challenges are on it, and which.
    """
    from replay.pictures.page import draw_page  # noqa: PLC0415  (matplotlib takes half a second)

    shown = planned[: settings.challenges]
    cards = collect(shown, shards, settings, on_progress)
    line = _which(shown, len(planned))
    figure = draw_page(cards, line)
    with written_aside(path) as aside:
        figure.savefig(aside, format=path.suffix.lower()[1:], facecolor="white")
    return line


def collect(
    planned: Sequence[Planned],
    shards: Shards,
    settings: SheetSettings = SheetSettings(),
    on_progress: Callable[[], None] = lambda: None,
) -> list[Card]:
    """The cards of these challenges, in their order; the work is done in that of the shards."""
    images = settings.images
    rebuilder = Rebuilder(shards, images.seed, images.side, images.arithmetic)
    done: dict[str, Card] = {}
    for item in in_reading_order(planned):
        done[item.challenge.challenge_id] = _card(item, rebuilder, settings)
        on_progress()
    return [done[item.challenge.challenge_id] for item in planned]


def _which(shown: Sequence[Planned], total: int) -> str:
    line = f"{len(shown)} of {total} challenges"
    if len(shown) in (0, total):
        return line
    first, last = (
        f"{one.challenge.file} {one.challenge.position}" for one in (shown[0], shown[-1])
    )
    return f"{line}: the first in the order of the log, {first} to {last}"


def _card(item: Planned, rebuilder: Rebuilder, settings: SheetSettings) -> Card:
    if item.fidelity is Fidelity.IMPOSSIBLE:
        return Card(item)
    card = Card(item)
    try:
        source = rebuilder.source(item.challenge)
        card = Card(item, _picture(source), placement(item.challenge.augmentation, source.size))
        return _with_images(card, rebuilder, settings)
    except CannotRebuildError as error:
        found = (Fidelity.IMPOSSIBLE, (), error.reason, error.detail)
        return replace(card, planned=Planned(item.challenge, *found))


def _with_images(card: Card, rebuilder: Rebuilder, settings: SheetSettings) -> Card:
    challenge = card.planned.challenge
    fidelity, drawn = at_side(card.planned, settings.images.side)
    # variants first: the image before distortions is then a step that they had in common
    built = [rebuilder.rebuild(challenge, one) for one in drawn]
    undistorted = rebuilder.rebuild(challenge, UNDISTORTED)
    merged = merge(built, drawn)
    several = merged if fidelity is Fidelity.DISTRIBUTION else []
    return replace(
        card,
        planned=replace(card.planned, fidelity=fidelity),
        rebuilt=_picture(Image.fromarray(undistorted.decoded())),
        variants=tuple(_variant(one) for one in most_probable(several, settings.variants)),
        images=len(merged),
    )


def most_probable(images: Sequence[Merged], count: int) -> list[Merged]:
    """The most probable first; of the equally probable that are not all taken, some of each kind.

    Noise varies slowest in the order of `images`, so that those are taken at even distances.
    """
    ordered = sorted(images, key=lambda one: -round(one.weight, _DIGITS))
    if len(ordered) <= count:
        return ordered
    least = round(ordered[count - 1].weight, _DIGITS)
    above = [one for one in ordered if round(one.weight, _DIGITS) > least]
    tied = [one for one in ordered if round(one.weight, _DIGITS) == least]
    wanted = count - len(above)
    return above + [tied[place * len(tied) // wanted] for place in range(wanted)]


def _variant(one: Merged) -> VariantPicture:
    return VariantPicture(_picture(Image.fromarray(one.image.decoded())), one.weight, one.noisy)


def _picture(image: Image.Image) -> Picture:
    scale = min(1.0, _LONGEST / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image if image.mode == "RGB" else image.convert("RGB")
    return Picture(np.asarray(shown.resize(size, Image.Resampling.BOX)), image.size)
