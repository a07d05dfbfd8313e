"""Where each column of the store comes from: a declared table from log key to column."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import FieldError
from data.records import values
from data.records.cities import position_problem
from data.records.types import NullKind

_ABSENT = object()


@dataclass(frozen=True)
class Field:
    """One logged value: its columns, its key in the record, and how it is parsed.

    `columns` has one name, or as many as `parse` returns values (GPS, image size). `null_column`
    names the metadata fields whose NULL kind is kept.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    parse: Callable[[object], Any]
    null_column: str | None = None


def _top(column: str, parse: Callable[[object], Any] = values.text) -> Field:
    return Field((column,), (column,), parse)


def _meta(
    column: str, key: str, parse: Callable[[object], Any] = values.text, *, nulls: bool = False
) -> Field:
    return Field((column,), ("metadata", key), parse, column if nulls else None)


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
    Field(("image_width", "image_height"), ("metadata", "image_size"), _size),
    _meta("image_mode", "image_mode"),
    _meta("metadata_label", "label", values.integer),
    _meta("source_id", "id", values.integer, nulls=True),
    _meta("width", "width", values.natural),
    _meta("height", "height", values.natural),
    _meta("license", "license", values.integer),
    _meta("flickr_url", "flickr_url"),
    _meta("coco_url", "coco_url"),
    _meta("date_captured", "date_captured", values.scalar_text),
    Field(("gps_lat", "gps_lon"), ("metadata", "gps"), values.gps, "gps"),
    _meta("city", "city_name", nulls=True),
    _meta("scene_description", "scene_description", nulls=True),
    _meta("frame_id", "video_info.frame_id", nulls=True),
    _meta("seq_id", "video_info.seq_id", values.integer, nulls=True),
    _meta("vid_id", "video_info.vid_id", nulls=True),
    _meta("daytime", "scene_level_tags.daytime", nulls=True),
    _meta("environment", "scene_level_tags.scene_environment", nulls=True),
    _meta("travel_alteration", "scene_level_tags.travel_alteration", values.tags, nulls=True),
    _meta("weather", "scene_level_tags.weather", values.tags, nulls=True),
    _meta("prompt", "prompt", nulls=True),
    _meta("model_name", "model_name", nulls=True),
)

# Logged lists with one entry a response, and the field of `Response` that each one fills.
RESPONSE_LISTS: Mapping[str, str] = {
    "miner_image_accuracy": "accuracy",
    "miner_image_precision": "precision",
    "miner_image_recall": "recall",
    "miner_image_f1_score": "f1_score",
    "miner_image_mcc": "mcc",
    "miner_image_auc": "auc",
}

# The log's own series: W&B key `miner_<series>/uid_<N>` -> the field of `Response` that holds the
# same value (`scores` comes from the vector of all uids instead).
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

_READ_ELSEWHERE = frozenset(
    {"label", "metadata", "data_aug_params", "data_aug_level", "miner_uids", "miner_hotkeys"}
    | {"predictions", "rewards", "scores", "model_urls"}
    | RESPONSE_LISTS.keys()
)


@dataclass(frozen=True)
class Problem:
    """One logged value that is not what its key promises: the column that stays NULL, and why."""

    column: str
    error: FieldError
    value: Any


@dataclass
class Read:
    """What `read_fields` found: column values, NULL kinds, and values that could not be read."""

    columns: dict[str, Any]
    nulls: dict[str, NullKind]
    problems: list[Problem]


def read_fields(record: Mapping[str, Any]) -> Read:
    """Read every declared field of a Media record; an unreadable one is NULL and a problem."""
    metadata = record.get("metadata", {})
    read = Read({}, {}, [])
    for field in FIELDS:
        if field.key[0] != "metadata":
            _read_field(field, record.get(field.key[-1], _ABSENT), read)
        elif isinstance(metadata, Mapping):
            _read_field(field, metadata.get(field.key[-1], _ABSENT), read)
        elif field.null_column:
            kind = NullKind.NULL if metadata is None else NullKind.UNREADABLE
            read.nulls[field.null_column] = kind
    if metadata is not None and not isinstance(metadata, Mapping):
        error = FieldError("value", found=type(metadata).__name__, expected="an object")
        read.problems.append(Problem("metadata", error, metadata))
    elif metadata is not None:
        _check_position(metadata, read)
    return read


def _check_position(metadata: Mapping[str, Any], read: Read) -> None:
    """Take back a position where no image of the data set, or none of its city, can lie."""
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


def _read_field(field: Field, value: Any, read: Read) -> None:
    kind = NullKind.ABSENT if value is _ABSENT else values.null_kind(value)
    if kind is None or _is_kept(field, kind):
        kind = _parse(field, value, read)
    if field.null_column and kind is not None:
        read.nulls[field.null_column] = kind


def _is_kept(field: Field, kind: NullKind) -> bool:
    """True if a value that stands for nothing is a value of this field all the same."""
    if kind is NullKind.WORD:
        return field.null_column is None or field.parse in (values.text, values.tags)
    return kind is NullKind.EMPTY and field.parse in (values.text, values.tags)


def _parse(field: Field, value: Any, read: Read) -> NullKind | None:
    try:
        parsed = field.parse(value)
    except FieldError as error:
        read.problems.append(Problem(field.null_column or field.columns[0], error, value))
        return NullKind.UNREADABLE
    several = parsed if len(field.columns) > 1 else (parsed,)
    read.columns.update(zip(field.columns, several, strict=True))
    return values.null_kind(parsed)


def undeclared(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record holds that no column does; nulls are left out. Keeps a log's news from loss."""
    declared = {field.key for field in FIELDS}
    metadata = record.get("metadata")
    nested = metadata if isinstance(metadata, Mapping) else {}
    rest = {
        key: value
        for key, value in record.items()
        if value is not None and key not in _READ_ELSEWHERE and (key,) not in declared
    }
    inner = {
        key: value
        for key, value in nested.items()
        if value is not None and ("metadata", key) not in declared
    }
    return rest | ({"metadata": inner} if inner else {})
