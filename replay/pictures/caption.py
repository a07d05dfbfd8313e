"""The caption beside a challenge on a contact sheet: its recorded parameters, line by line."""

from collections.abc import Iterator

from data.records.types import Augmentation, Geometry
from replay.pictures.cards import Card
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.variants import distortion_combinations

_LABELS = {0: "0, no roadwork", 1: "1, roadwork"}


def caption(card: Card) -> list[tuple[str, str]]:
    """The lines beside a card: a key, and its value as recorded; text of the log is unescaped."""
    challenge = card.planned.challenge
    level = challenge.augmentation.aug_level
    return [
        ("log", f"{challenge.file} {challenge.position}"),
        ("era", f"{challenge.era}, level {'not recorded' if level is None else level}"),
        ("label", _LABELS.get(challenge.label, str(challenge.label))),
        ("fidelity", card.planned.fidelity.value),
        *_images(card),
        *_source(card),
        *_parameters(challenge.augmentation),
    ]


def percent(weight: float) -> str:
    """A probability as a percentage of three digits."""
    return f"{100 * weight:.3g}%"


def note_without_variants(planned: Planned) -> str:
    """What is said of a rebuilt image instead of its variants."""
    if planned.fidelity is Fidelity.UNSEEN:
        return "No miner saw this size. Distortions, if there were any, are left out."
    return "Nothing was distorted: miners saw the rebuilt image."


def reason_without_image(planned: Planned) -> str:
    """What is said in place of an image."""
    reason = f"No image: {planned.reason}"
    return f"{reason} ({planned.detail})" if planned.detail else reason


def _images(card: Card) -> Iterator[tuple[str, str]]:
    planned = card.planned
    if planned.fidelity is not Fidelity.DISTRIBUTION:
        return
    possible = len(distortion_combinations(planned.challenge.augmentation.aug_level))
    yield "images", f"{len(planned.variants)} of {possible} possible built"
    if card.image_count < len(planned.variants):
        yield "", f"{card.image_count} different"
    if len(card.variants) < card.image_count:
        weight = sum(variant.weight for variant in card.variants)
        yield "", f"{len(card.variants)} shown, {percent(weight)} of the weight"


def _source(card: Card) -> Iterator[tuple[str, str]]:
    challenge = card.planned.challenge
    if challenge.parquet is not None:
        yield "shard", challenge.parquet
    if challenge.row is not None:
        yield "row", str(challenge.row)
    if card.source is not None:
        width, height = card.source.size
        yield "size", f"{width} × {height}"


def _parameters(augmentation: Augmentation) -> Iterator[tuple[str, str]]:
    if augmentation.angle is not None:
        yield "angle", f"{augmentation.angle:+.6g}°"
    if augmentation.crop_top is not None:
        yield "crop", f"top {augmentation.crop_top}, left {augmentation.crop_left}"
        yield "", f"height {augmentation.crop_height}, width {augmentation.crop_width}"
    elif augmentation.geometry is Geometry.CROP and augmentation.aug_level == 0:
        yield "crop", "centre, none recorded"
    if augmentation.letterbox_height is not None:
        yield "letterbox", f"scale {augmentation.letterbox_scale or 0:.6g}"
        yield "", f"height {augmentation.letterbox_height}, width {augmentation.letterbox_width}"
    if augmentation.letterbox_padding:
        left, top, right, bottom = augmentation.letterbox_padding
        yield "padding", f"left {left}, top {top},"
        yield "", f"right {right}, bottom {bottom}"
    flips = [("horizontal", augmentation.flip_horizontal), ("vertical", augmentation.flip_vertical)]
    if flipped := [name for name, done in flips if done]:
        yield "flip", " and ".join(flipped)
