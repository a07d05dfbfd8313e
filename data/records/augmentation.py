"""Read the logged part of a challenge's augmentation, `data_aug_level` and `data_aug_params`.

Three forms occur (DOMAIN.md §2): crops (E4..E8; level 0 is `{}`), letterbox (E9, all levels), and
no augmentation (E10: keys absent; level -1: the validator's augmentation failed).
"""

from collections.abc import Mapping
from typing import Any

from data.errors import FieldError
from data.records import values
from data.records.types import Augmentation, Geometry

FAILED_LEVEL = -1
LEVELS = 4
"""0 to 3, equally likely."""

MAX_LEVEL = LEVELS - 1


def read_augmentation(record: Mapping[str, Any]) -> Augmentation:
    """Read the augmentation of a Media record.

    Raises:
        FieldError: the level or the parameters are not what a validator logs.
    """
    level = record.get("data_aug_level")
    parameters = record.get("data_aug_params")
    if level is None and parameters is None:
        return Augmentation(geometry=Geometry.NONE)
    level = values.integer(level)
    if not FAILED_LEVEL <= level <= MAX_LEVEL:
        raise FieldError("data_aug_level", found=level, expected="a level in -1..3")
    if not isinstance(parameters, Mapping):
        raise FieldError("data_aug_params", found=type(parameters).__name__, expected="an object")
    geometry = _geometry(level, parameters)
    columns = {} if geometry is Geometry.NONE else _columns(geometry, level, parameters)
    return Augmentation(geometry=geometry, aug_level=level, **columns)


def _geometry(level: int, parameters: Mapping[str, Any]) -> Geometry:
    if level == FAILED_LEVEL:
        return Geometry.NONE
    return Geometry.LETTERBOX if "ResizeWithPadding" in parameters else Geometry.CROP


def _columns(geometry: Geometry, level: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an augmented image, by the field of `Augmentation`."""
    columns: dict[str, Any] = {}
    if geometry is Geometry.LETTERBOX:
        columns.update(_letterbox(_step(parameters, "ResizeWithPadding")))
    if level == 0:
        return columns
    angle = _step(parameters, "RandomRotationWithParams").get("angle")
    columns["angle"] = values.number(angle)
    if geometry is Geometry.CROP:
        crop = _step(parameters, "RandomResizedCropWithParams").get("crop_params")
        names = ("crop_top", "crop_left", "crop_height", "crop_width")
        columns.update(zip(names, _naturals(crop, 4, "[top, left, height, width]"), strict=True))
    columns["flip_horizontal"] = _flip(parameters, "RandomHorizontalFlipWithParams")
    columns["flip_vertical"] = _flip(parameters, "RandomVerticalFlipWithParams")
    return columns


def _flip(parameters: Mapping[str, Any], name: str) -> bool:
    flip = parameters.get(name, {})
    return isinstance(flip, Mapping) and values.flag(flip.get("do_flip", False))


def _step(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    step = parameters.get(name)
    if not isinstance(step, Mapping):
        raise FieldError(f"data_aug_params.{name}", found=repr(step)[:60], expected="an object")
    return step


def _letterbox(step: Mapping[str, Any]) -> dict[str, Any]:
    height, width = _naturals(step.get("new_size"), 2, "[height, width]")
    padding = _naturals(step.get("padding"), 4, "[left, top, right, bottom]")
    return {
        "letterbox_scale": values.number(step.get("scale")),
        "letterbox_height": height,
        "letterbox_width": width,
        "letterbox_padding": tuple(padding),
    }


def _naturals(value: object, count: int, expected: str) -> list[int]:
    if not isinstance(value, list) or len(value) != count:
        raise FieldError("data_aug_params", found=repr(value)[:60], expected=expected)
    return [values.natural(item) for item in value]
