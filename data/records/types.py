"""The typed records of a validator's log; each column of the store is a field of one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NullKind(StrEnum):
    """Why a metadata field has no value.

    ABSENT: the key is not in the record (synthetic and api challenges).
    NULL: the key is there, its value is null.
    EMPTY: `''` or `[]`.
    WORD: a word for no value, such as "Unknown" or "No Description"; the value is kept.
    UNREADABLE: the logged value could not be read; see the relation `rejects`.
    """

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    WORD = "word"
    UNREADABLE = "unreadable"


class Geometry(StrEnum):
    """How the source image was made the square that miners saw."""

    CROP = "crop"
    LETTERBOX = "letterbox"
    NONE = "none"


@dataclass(frozen=True)
class Response:
    """One answer of one miner, with its logged reward and metrics.

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
    """The source image as a record describes it; a field is None where the log holds no value.

    `metadata_label` may differ from the scored label until 2025-07-03.
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
    """One Media record: the source image, its augmentation, all answers, and the scores after them.

    `label` is the scored one, 0 or 1. `era` is the first of its candidates, and `era_evidence` what
    left no others, see `data.records.eras.InferredEras`. `nulls` says why a metadata field (by
    column, GPS as `gps`) holds no value. `scores` is the EMA of every uid after the update (float32
    values). `other` is the JSON text of all values that no field holds.
    """

    challenge_id: str
    label: int
    era: str
    era_candidates: tuple[str, ...]
    era_evidence: tuple[str, ...]
    source: Source
    nulls: Mapping[str, NullKind]
    augmentation: Augmentation
    responses: tuple[Response, ...]
    scores: tuple[float | None, ...] | None
    other: str | None


@dataclass(frozen=True)
class Origin:
    """Where a record comes from: log file, 0-based position in it (a W&B run: the step), run, time.

    `part` is the 0-based part of a resumed run where one log holds several; else 0.
    """

    file: str
    position: int | None
    run_id: str | None = None
    step: int | None = None
    time: datetime | None = None
    part: int = 0


@dataclass(frozen=True)
class Reject:
    """Something that could not be read: a whole record (`column` is None) or one value of it.

    `is_passing` where the machine is at fault, not the log (`errors.is_of_the_machine`): another
    try may read it.
    """

    origin: Origin
    reason: str
    excerpt: str
    column: str | None = None
    is_passing: bool = False


@dataclass(frozen=True)
class SeriesStep:
    """One history row of a W&B run: for each asked uid the logged values, by series name.

    A value that was logged as not finite is NaN. `time` is None where the history has none.
    """

    run_id: str
    step: int
    values: dict[int, dict[str, float]]
    time: datetime | None = None


@dataclass(frozen=True)
class Run:
    """One W&B run, as its log describes it; `finished` once the log holds its exit.

    `config` is JSON text; `validator_uid` to `signature` are what it says of the validator, see
    `data.validators.run_config.Validator`.
    """

    run_id: str
    file: str
    name: str | None
    project: str | None
    config: str
    started: datetime | None
    finished: bool
    exit_code: int | None
    steps: int
    validator_uid: int | None = None
    hotkey: str | None = None
    version: str | None = None
    netuid: int | None = None
    alpha: float | None = None
    sample_size: int | None = None
    type: str | None = None
    signature: str = "absent"


@dataclass(frozen=True)
class Logged:
    """A challenge and its origin, with the values of it that could not be read."""

    origin: Origin
    challenge: Challenge
    problems: tuple[Reject, ...] = ()


LogItem = Logged | SeriesStep | Run | Reject
