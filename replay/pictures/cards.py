"""The challenges of a contact sheet as cards: each source, what was cut from it, and its images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from data.sources.shards import Shards
from replay.augmentation.augment import Pixels
from replay.pictures.jpeg_files import RenderSettings, fidelity_and_variants
from replay.pictures.placement import Placement, placement_of
from replay.plans.plan import Plan, Planned
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.rebuild import CannotRebuildError, DistinctImage, Rebuilder, distinct_images
from replay.rebuilding.variants import UNDISTORTED

# Twice what the page has room for; a 12-megapixel source would take 36 MB.
_LONGEST = 1152
_DIGITS = 12  # of a weight, which is a sum


@dataclass(frozen=True)
class SheetSettings:
    """How much one sheet holds, and how images are built.

    `challenge_count` a sheet, `variant_count` a challenge; `rendering` says how images are built.
    """

    challenge_count: int = 12
    variant_count: int = 8
    rendering: RenderSettings = field(default_factory=RenderSettings)


@dataclass(frozen=True)
class Picture:
    """Pixels small enough for a page, and the true width and height of what they show."""

    pixels: Pixels
    size: tuple[int, int]


@dataclass(frozen=True)
class VariantPicture:
    """One possible image; a `noisy` one holds noise that we generated."""

    picture: Picture
    weight: float
    noisy: bool


@dataclass(frozen=True)
class Card:
    """One challenge on the sheet.

    `planned` holds its fidelity and, without an image, the reason, as the rebuild found them.
    `source` may be there without an image (a crop outside it). `rebuilt` is the image before
    distortions; `variants` are the most probable of `image_count` distinct images, and none below
    level 2.
    """

    planned: Planned
    source: Picture | None = None
    placement: Placement | None = None
    rebuilt: Picture | None = None
    variants: tuple[VariantPicture, ...] = ()
    image_count: int = 0


def collect_cards(
    plan: Plan,
    shards: Shards,
    settings: SheetSettings = SheetSettings(),
    on_progress: Callable[[], None] = lambda: None,
) -> list[Card]:
    """The cards of these challenges, in their order; the work is done in that of the shards."""
    images = settings.rendering
    rebuilder = Rebuilder(shards, images.seed, images.side, images.arithmetic)
    done: dict[int, Card] = {}
    for position, item in plan.in_reading_order():
        done[position] = _collect_card(item, rebuilder, settings)
        on_progress()
    return [done[position] for position in range(len(plan))]


def _collect_card(item: Planned, rebuilder: Rebuilder, settings: SheetSettings) -> Card:
    card = Card(item)
    if item.fidelity is Fidelity.IMPOSSIBLE:
        return card
    try:
        source = rebuilder.source(item.challenge)
        card = Card(
            item, small_picture(source), placement_of(item.challenge.augmentation, source.size)
        )
        return _with_images(card, rebuilder, settings)
    except CannotRebuildError as error:
        impossible = Planned(
            item.challenge, Fidelity.IMPOSSIBLE, reason=error.reason, detail=error.detail
        )
        return replace(card, planned=impossible)


def _with_images(card: Card, rebuilder: Rebuilder, settings: SheetSettings) -> Card:
    challenge = card.planned.challenge
    fidelity, variants = fidelity_and_variants(card.planned, settings.rendering.side)
    # variants first: the image before distortions is then a step that they had in common
    built = [rebuilder.rebuild(challenge, variant) for variant in variants]
    undistorted = rebuilder.rebuild(challenge, UNDISTORTED)
    distinct = distinct_images(built, variants)
    several = distinct if fidelity is Fidelity.DISTRIBUTION else []
    return replace(
        card,
        planned=replace(card.planned, fidelity=fidelity),
        rebuilt=small_picture(Image.fromarray(undistorted.decoded())),
        variants=tuple(
            _variant_picture(image) for image in most_probable(several, settings.variant_count)
        ),
        image_count=len(distinct),
    )


def most_probable(images: Sequence[DistinctImage], count: int) -> list[DistinctImage]:
    """At most `count` images, the most probable first; of ties at the end, evenly spaced ones.

    Noise varies slowest in the order of `images`, so that even spacing takes some of each level.
    """
    ordered = sorted(images, key=lambda image: -round(image.weight, _DIGITS))
    if len(ordered) <= count:
        return ordered
    least = round(ordered[count - 1].weight, _DIGITS)
    above = [image for image in ordered if round(image.weight, _DIGITS) > least]
    tied = [image for image in ordered if round(image.weight, _DIGITS) == least]
    wanted = count - len(above)
    return above + [tied[index * len(tied) // wanted] for index in range(wanted)]


def _variant_picture(image: DistinctImage) -> VariantPicture:
    decoded = Image.fromarray(image.image.decoded())
    return VariantPicture(small_picture(decoded), image.weight, image.noisy)


def small_picture(image: Image.Image) -> Picture:
    """An image small enough for a page."""
    scale = min(1.0, _LONGEST / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image if image.mode == "RGB" else image.convert("RGB")
    return Picture(np.asarray(shown.resize(size, Image.Resampling.BOX)), image.size)
