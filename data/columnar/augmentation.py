"""The columns of a record's augmentation, without an object for each record."""

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from data.errors import FieldError
from data.records.augmentation import read_augmentation
from data.records.types import Augmentation, Geometry

AUGMENTATION_COLUMNS = tuple(field.name for field in fields(Augmentation))

# What the validator logs for levels 1 to 3 of crops: flips are drawn, never logged or applied.
_ROTATION, _CROP = "RandomRotationWithParams", "RandomResizedCropWithParams"
_CROP_KEYS = (_ROTATION, _CROP, "RandomHorizontalFlipWithParams", "RandomVerticalFlipWithParams")
_LEVELS = frozenset({1, 2, 3})
_CROP_NUMBERS = 4
_NATURALS_END = 2**31


def augmentation_values(record: Mapping[str, Any]) -> tuple[object, ...] | None:
    """The values by `AUGMENTATION_COLUMNS`; None where what was logged cannot be read."""
    parameters = record.get("data_aug_params")
    if type(parameters) is dict and tuple(parameters) == _CROP_KEYS:
        values = _crop_values(record["data_aug_level"], *parameters.values())
        if values is not None:
            return values
    if parameters == {} and type(record.get("data_aug_level")) is int:
        return _values_without_parameters(record["data_aug_level"])
    return _values(record)


@lru_cache
def _values_without_parameters(level: int) -> tuple[object, ...] | None:
    return _values({"data_aug_level": level, "data_aug_params": {}})


def _values(record: Mapping[str, Any]) -> tuple[object, ...] | None:
    try:
        augmentation = read_augmentation(record)
    except FieldError:
        return None
    return tuple([getattr(augmentation, name) for name in AUGMENTATION_COLUMNS])


def _crop_values(
    level: object, rotation: Any, crop: Any, flip: Any, other_flip: Any
) -> tuple[object, ...] | None:
    """The values of the usual parameters; None where they are of another form."""
    if type(level) is not int or level not in _LEVELS or flip != {} or other_flip != {}:
        return None
    if type(rotation) is not dict or type(crop) is not dict:
        return None
    angle, sides = rotation.get("angle"), crop.get("crop_params")
    if (
        type(angle) is not float
        or type(sides) is not list
        or len(sides) != _CROP_NUMBERS
        or set(map(type, sides)) != {int}
        or min(sides) < 0
        or max(sides) >= _NATURALS_END
    ):
        return None
    return (Geometry.CROP, level, angle, *sides, False, False, None, None, None, None)
