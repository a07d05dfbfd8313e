"""The table of logged keys: each field's columns in the store, its key, and its parser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import FieldError
from data.records import values
from data.records.cities import position_problem
from data.records.types import NullKind

ABSENT = object()
"""Stands for the value of a key that a record lacks."""


@dataclass(frozen=True)
class Field:
    """One logged value: its columns, its key in the record, and its parser.

    `columns` has one name, or as many as `parse` returns values (GPS, image size). A field with a
    `null_column` keeps its NULL kind there.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    parse: Callable[[object], Any]
    null_column: str | None = None


def _top(column: str, parse: Callable[[object], Any] = values.text) -> Field:
    return Field((column,), (column,), parse)


def _meta(column: str, key: str, parse: Callable[[object], Any] = values.text) -> Field:
    return Field((column,), ("metadata", key), parse, column)


def _size(value: object) -> tuple[int, int]:
    match value:
        case [width, height]:
            return values.natural(width), values.natural(height)
    raise FieldError("value", found=repr(value)[:60], expected="[width, height]")


FIELDS: tuple[Field, ...] = (
    _top("modality"),
    _top("source"),
    _top("source_model_task"),
    _top("task_id", values.scalar_text),
    _top("path", values.name),
    _meta("parquet", "source_parquet", values.parquet_name),
    _meta("row", "original_index", values.natural),
    _meta("image_format", "image_format"),
    Field(("image_width", "image_height"), ("metadata", "image_size"), _size, "image_size"),
    _meta("image_mode", "image_mode"),
    _meta("metadata_label", "label", values.integer),
    _meta("source_id", "id", values.integer),
    _meta("width", "width", values.natural),
    _meta("height", "height", values.natural),
    _meta("license", "license", values.integer),
    _meta("flickr_url", "flickr_url"),
    _meta("coco_url", "coco_url"),
    _meta("date_captured", "date_captured", values.scalar_text),
    Field(("gps_lat", "gps_lon"), ("metadata", "gps"), values.gps, "gps"),
    _meta("city", "city_name"),
    _meta("scene_description", "scene_description"),
    _meta("frame_id", "video_info.frame_id"),
    _meta("seq_id", "video_info.seq_id", values.integer),
    _meta("vid_id", "video_info.vid_id"),
    _meta("daytime", "scene_level_tags.daytime"),
    _meta("environment", "scene_level_tags.scene_environment"),
    _meta("travel_alteration", "scene_level_tags.travel_alteration", values.tags),
    _meta("weather", "scene_level_tags.weather", values.tags),
    _meta("prompt", "prompt"),
    _meta("model_name", "model_name"),
)

# Logged lists with one entry a response -> the field of `Response`.
RESPONSE_LISTS: Mapping[str, str] = {
    "miner_image_accuracy": "accuracy",
    "miner_image_precision": "precision",
    "miner_image_recall": "recall",
    "miner_image_f1_score": "f1_score",
    "miner_image_mcc": "mcc",
    "miner_image_auc": "auc",
}

# Series of a W&B history, keys `miner_<series>/uid_<N>` -> the field of `Response` of equal value
# (scores are in the record's vector of all uids instead).
SERIES: Mapping[str, str | None] = {
    "predictions": "prediction",
    "rewards": "reward",
    "scores": None,
    "accuracy": "accuracy",
    "auc": "auc",
    "f1_score": "f1_score",
    "mcc": "mcc",
    "precision": "precision",
    "recall": "recall",
}

NULL_COLUMNS = tuple(field.null_column for field in FIELDS if field.null_column)
"""Every field of the metadata, by the name that its NULL kind has in the store."""

VALIDATOR_NULL_COLUMNS = ("parquet", "row", "image_format", "image_size", "image_mode")
"""Of these, what the validator itself adds; a row of the data set holds none of it."""

SCENE_NULL_COLUMNS = (
    *("source_id", "gps", "city", "scene_description", "frame_id", "seq_id", "vid_id"),
    *("daytime", "environment", "travel_alteration", "weather", "prompt", "model_name"),
)
"""Of these, what says what an image shows, where and of what; the others are facts of a file."""

# Parsers whose words for no value, and empty values, are kept beside their NULL kind.
_KEPT = (values.text, values.scalar_text, values.tags)
_READ_ELSEWHERE = frozenset(
    {"label", "metadata", "data_aug_params", "data_aug_level", "miner_uids", "miner_hotkeys"}
    | {"predictions", "rewards", "scores", "model_urls"}
    | RESPONSE_LISTS.keys()
)
_DECLARED = frozenset(field.key for field in FIELDS)


@dataclass(frozen=True)
class Problem:
    """One logged value that could not be read: the column that stays NULL, and why."""

    column: str
    error: FieldError
    value: Any


@dataclass
class FieldValues:
    """The result of `read_fields`: values and NULL kinds by column, and unreadable values."""

    columns: dict[str, Any]
    nulls: dict[str, NullKind]
    problems: list[Problem]


def read_fields(record: Mapping[str, Any]) -> FieldValues:
    """Read every declared field of a Media record; an unreadable one is NULL and a problem."""
    metadata = record.get("metadata", {})
    read = FieldValues({}, {}, [])
    for field in FIELDS:
        if field.key[0] != "metadata":
            read_field(field, record.get(field.key[-1], ABSENT), read)
        elif isinstance(metadata, Mapping):
            read_field(field, metadata.get(field.key[-1], ABSENT), read)
        elif field.null_column:
            kind = NullKind.NULL if metadata is None else NullKind.UNREADABLE
            read.nulls[field.null_column] = kind
    if metadata is not None and not isinstance(metadata, Mapping):
        error = FieldError("value", found=type(metadata).__name__, expected="an object")
        read.problems.append(Problem("metadata", error, metadata))
    elif metadata is not None:
        _check_gps(metadata, read)
    return read


def _check_gps(metadata: Mapping[str, Any], read: FieldValues) -> None:
    """Reject a GPS position where no image of the data set, or none of its city, can be."""
    columns = read.columns
    if columns.get("gps_lat") is None:
        return
    problem = position_problem(columns["gps_lat"], columns["gps_lon"], columns.get("city"))
    if problem:
        del columns["gps_lat"], columns["gps_lon"]
        read.nulls["gps"] = NullKind.UNREADABLE
        expected = "[latitude, longitude] in degrees, near the record's city"
        error = FieldError("value", found=problem, expected=expected)
        read.problems.append(Problem("gps", error, metadata["gps"]))


def read_field(field: Field, value: Any, read: FieldValues) -> None:
    """Read one field's logged value, or `ABSENT`, into `read`."""
    kind = NullKind.ABSENT if value is ABSENT else values.null_kind(value)
    if kind is None or _is_kept(field, kind):
        kind = _parse(field, value, read)
    if field.null_column and kind is not None:
        read.nulls[field.null_column] = kind


def _is_kept(field: Field, kind: NullKind) -> bool:
    """True if an empty text, empty list or word that means null is still stored as a value."""
    if field.null_column is None:
        return kind is NullKind.WORD or (kind is NullKind.EMPTY and field.parse is values.text)
    return kind in (NullKind.WORD, NullKind.EMPTY) and field.parse in _KEPT


def _parse(field: Field, value: Any, read: FieldValues) -> NullKind | None:
    try:
        parsed = field.parse(value)
    except FieldError as error:
        read.problems.append(Problem(field.null_column or field.columns[0], error, value))
        return NullKind.UNREADABLE
    by_column = parsed if len(field.columns) > 1 else (parsed,)
    read.columns.update(zip(field.columns, by_column, strict=True))
    return values.null_kind(parsed)


def undeclared(record: Mapping[str, Any]) -> dict[str, Any]:
    """The non-null values of a record that no column stores, so that new keys are not lost."""
    metadata = record.get("metadata")
    nested = metadata if isinstance(metadata, Mapping) else {}
    rest = {
        key: value
        for key, value in record.items()
        if value is not None and key not in _READ_ELSEWHERE and (key,) not in _DECLARED
    }
    inner = {
        key: value
        for key, value in nested.items()
        if value is not None and ("metadata", key) not in _DECLARED
    }
    return rest | ({"metadata": inner} if inner else {})
