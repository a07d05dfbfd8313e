"""What a validator's log holds, as typed frozen records; a column of the store is a field here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NullKind(StrEnum):
    """Why a metadata field holds no value. The kinds are reported apart: each tells its own story.

    ABSENT: the key is not in the record (synthetic and api challenges).
    NULL: the key is there, its value is null.
    EMPTY: `''` or `[]`.
    WORD: a word that stands for nothing, such as "Unknown" or "No Description"; the value is kept.
    UNREADABLE: something is there that is no value of this field; see the relation `rejects`.
    """

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    WORD = "word"
    UNREADABLE = "unreadable"


class Geometry(StrEnum):
    """How the source image became the square that miners saw."""

    CROP = "crop"
    LETTERBOX = "letterbox"
    NONE = "none"


@dataclass(frozen=True)
class Response:
    """One answer of one miner, and the numbers that the validator logged beside it.

    `slot` is the 0-based index in the record: a uid can be asked twice in one challenge. A
    prediction is as logged: -1 = no answer; values outside 0..1 occur; None = NaN or infinite.
    """

    slot: int
    uid: int
    hotkey: str
    prediction: float | None
    reward: float | None
    accuracy: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1_score: float | None = None
    mcc: float | None = None
    auc: float | None = None
    model_url: str | None = None


@dataclass(frozen=True)
class Augmentation:
    """The logged part of a challenge's augmentation; distortions of levels 2 and 3 are not logged.

    Angles are degrees; crops are source pixels; `letterbox_padding` is left, top, right, bottom.
    `aug_level` is None where the validator logged none (E10); -1 where its augmentation failed.
    """

    geometry: Geometry | None = None
    aug_level: int | None = None
    angle: float | None = None
    crop_top: int | None = None
    crop_left: int | None = None
    crop_height: int | None = None
    crop_width: int | None = None
    flip_horizontal: bool = False
    flip_vertical: bool = False
    letterbox_scale: float | None = None
    letterbox_height: int | None = None
    letterbox_width: int | None = None
    letterbox_padding: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Source:
    """What a record says of its source image; every field is None where the log holds no value.

    `label` of the metadata is kept apart: until 2025-07-03 it may differ from the scored one.
    `path` and `parquet` are base names; `row` is the 0-based row of the shard. `gps_*` are degrees.
    `image_*` describe the cached image, `width` and `height` are the data set's own columns.
    """

    modality: str | None = None
    source: str | None = None
    source_model_task: str | None = None
    task_id: str | None = None
    path: str | None = None
    parquet: str | None = None
    row: int | None = None
    image_format: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    image_mode: str | None = None
    metadata_label: int | None = None
    source_id: int | None = None
    width: int | None = None
    height: int | None = None
    license: int | None = None
    flickr_url: str | None = None
    coco_url: str | None = None
    date_captured: str | None = None
    gps_lat: float | None = None
    gps_lon: float | None = None
    city: str | None = None
    scene_description: str | None = None
    frame_id: str | None = None
    seq_id: int | None = None
    vid_id: str | None = None
    daytime: str | None = None
    environment: str | None = None
    travel_alteration: tuple[str, ...] | None = None
    weather: tuple[str, ...] | None = None
    prompt: str | None = None
    model_name: str | None = None


@dataclass(frozen=True)
class Challenge:
    """One Media record: what was asked, of whom, what they answered, and all scores after it.

    `label` is the scored one, 0 or 1. `nulls` says why a metadata field (by column, GPS as `gps`)
    holds no value. `scores` is the EMA of every uid after the update (float32 values). `other` is
    the JSON text of what no field holds.
    """

    challenge_id: str
    label: int
    era: str
    era_candidates: tuple[str, ...]
    source: Source
    nulls: Mapping[str, NullKind]
    augmentation: Augmentation
    responses: tuple[Response, ...]
    scores: tuple[float | None, ...] | None
    other: str | None


@dataclass(frozen=True)
class Origin:
    """Where a record comes from: log file, 0-based position in it (a W&B run: the step), run, time.

    `part` is 0-based, and not 0 only where one log holds a step of its run more than once.
    """

    file: str
    position: int | None
    run_id: str | None = None
    step: int | None = None
    time: datetime | None = None
    part: int = 0


@dataclass(frozen=True)
class Reject:
    """What could not be read: a whole record (`column` is None) or one value of a kept one."""

    origin: Origin
    reason: str
    excerpt: str
    column: str | None = None


@dataclass(frozen=True)
class SeriesStep:
    """One history row of a W&B run: for each asked uid the logged values, by series name.

    Values are as logged; NaN stands for one that was logged as not finite.
    """

    run_id: str
    step: int
    values: dict[int, dict[str, float]]


@dataclass(frozen=True)
class Run:
    """One W&B run as its transaction log describes it; not `finished` while no exit is there.

    `config` is JSON text; `validator_uid`, `hotkey` and `version` are what it says of the
    validator.
    """

    run_id: str
    file: str
    name: str | None
    project: str | None
    config: str
    validator_uid: int | None
    hotkey: str | None
    version: str | None
    started: datetime | None
    finished: bool
    exit_code: int | None
    steps: int


@dataclass(frozen=True)
class Logged:
    """A challenge and its origin, with the values of it that could not be read."""

    origin: Origin
    challenge: Challenge
    problems: tuple[Reject, ...] = ()


LogItem = Logged | SeriesStep | Run | Reject
