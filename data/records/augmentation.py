"""The logged part of a challenge's augmentation: `data_aug_level` and `data_aug_params`.

Three forms occur (DOMAIN.md §2): crops (E4..E8; level 0 is `{}`), letterbox (E9, all levels), and
no augmentation (E10: keys absent; level -1: the validator's augmentation failed).
"""

from collections.abc import Mapping
from typing import Any

from data.errors import FieldError
from data.records import values
from data.records.types import Augmentation, Geometry

FAILED_LEVEL = -1
MAX_LEVEL = 3


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
    found: dict[str, Any] = {"geometry": _geometry(level, parameters), "aug_level": level}
    if found["geometry"] is not Geometry.NONE:
        _read_parameters(level, parameters, found)
    return Augmentation(**found)


def _geometry(level: int, parameters: Mapping[str, Any]) -> Geometry:
    if level == FAILED_LEVEL:
        return Geometry.NONE
    return Geometry.LETTERBOX if "ResizeWithPadding" in parameters else Geometry.CROP


def _read_parameters(level: int, parameters: Mapping[str, Any], found: dict[str, Any]) -> None:
    if found["geometry"] is Geometry.LETTERBOX:
        found.update(_letterbox(_step(parameters, "ResizeWithPadding")))
    if level == 0:
        return
    angle = _step(parameters, "RandomRotationWithParams").get("angle")
    found["angle"] = values.number(angle)
    if found["geometry"] is Geometry.CROP:
        crop = _step(parameters, "RandomResizedCropWithParams").get("crop_params")
        sides = ("crop_top", "crop_left", "crop_height", "crop_width")
        found.update(zip(sides, _naturals(crop, 4, "[top, left, height, width]"), strict=True))
    for side, key in (("horizontal", "Horizontal"), ("vertical", "Vertical")):
        flip = parameters.get(f"Random{key}FlipWithParams", {})
        found[f"flip_{side}"] = isinstance(flip, Mapping) and values.flag(
            flip.get("do_flip", False)
        )


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
