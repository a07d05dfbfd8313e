"""Convert one Media record, as parsed from JSON, to a typed `Challenge`."""

import json
import math
from collections.abc import Mapping
from typing import Any

from data.errors import FieldError, RecordError
from data.records import values
from data.records.augmentation import read_augmentation
from data.records.content_id import canonical_json, content_id
from data.records.eras import infer_eras
from data.records.fields import RESPONSE_LISTS, Problem, read_fields, undeclared
from data.records.not_media_record import refuse_other_forms
from data.records.types import Augmentation, Challenge, Logged, Origin, Reject, Response, Source
from data.text import printable, storable

EXCERPT_CHARACTERS = 200
MAX_UID = 2**31
# A subnet has 256 uids; a slot is held in 16 bits.
MAX_RESPONSES = 10_000
MAX_FLOAT32 = 3.4028234663852886e38


def read_challenge(record: Any, origin: Origin) -> Logged:
    """Read a record: errors in what scoring needs refuse it, other errors become NULL and a reject.

    Args:
        record: the parsed JSON.
        origin: where the record comes from; its time is evidence of the era.

    Raises:
        RecordError: the record is no challenge: its uids, answers or label cannot be read.
    """
    if not isinstance(record, Mapping):
        raise RecordError("record", found=type(record).__name__, expected="a JSON object")
    refuse_other_forms(record)
    record = finite(record)
    problems: list[Problem] = []
    label, responses = _label(record), _responses(record)
    read = read_fields(record)
    augmentation = _augmentation(record, problems)
    eras = infer_eras(record, origin.time)
    challenge = Challenge(
        challenge_id=content_id(record),
        label=label,
        era=eras.candidates[0],
        era_candidates=eras.candidates,
        era_evidence=eras.evidence,
        source=Source(**read.columns),
        nulls=read.nulls,
        augmentation=augmentation,
        responses=responses,
        scores=_scores(record, problems),
        other=_other(record),
    )
    rejects = tuple(
        Reject(
            origin,
            f"{problem.column}: {problem.error}",
            printable(json.dumps(problem.value), EXCERPT_CHARACTERS),
            problem.column,
        )
        for problem in problems + read.problems
    )
    return Logged(origin, challenge, rejects)


def finite(value: Any) -> Any:
    """`value` with every non-finite number as None and every whole float as int."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list) else value


def _label(record: Mapping[str, Any]) -> int:
    label = record.get("label")
    if isinstance(label, bool) or label not in (0, 1):
        raise RecordError("label", found=printable(repr(label), 40), expected="0 or 1")
    return int(label)


def _responses(record: Mapping[str, Any]) -> tuple[Response, ...]:
    predictions = _list(record, "predictions", None)
    count = len(predictions)
    if count > MAX_RESPONSES:
        expected = f"at most {MAX_RESPONSES}"
        raise RecordError("predictions", found=f"{count} entries", expected=expected)
    uids = _list(record, "miner_uids", count)
    hotkeys = _list(record, "miner_hotkeys", count)
    rewards = _list(record, "rewards", count)
    numbers = {
        name: _list(record, key, count)
        for key, name in RESPONSE_LISTS.items()
        if record.get(key) is not None
    }
    urls = _list(record, "model_urls", count) if record.get("model_urls") is not None else None
    return tuple(
        Response(
            slot=slot,
            uid=_uid(uids[slot], slot),
            hotkey=_text(hotkeys[slot], "miner_hotkeys", slot),
            prediction=_number(predictions[slot], "predictions", slot),
            reward=_number(rewards[slot], "rewards", slot),
            model_url=None if not urls or urls[slot] is None else storable(str(urls[slot])),
            **{name: _number(column[slot], name, slot) for name, column in numbers.items()},
        )
        for slot in range(count)
    )


def _list(record: Mapping[str, Any], key: str, count: int | None) -> list[Any]:
    value = record.get(key)
    if value is None:
        raise RecordError(key, found="nothing", expected="one entry a response")
    # From E8 the list of a single asked uid is logged as a scalar.
    entries = value if isinstance(value, list) else [value]
    if count is not None and len(entries) != count:
        raise RecordError(
            key, found=f"{len(entries)} entries", expected=f"{count}, as many as predictions"
        )
    return entries


def _uid(value: Any, slot: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_UID:
        raise RecordError(
            f"miner_uids[{slot}]", found=printable(repr(value), 40), expected="a uid, 0 or more"
        )
    return value


def _text(value: Any, key: str, slot: int) -> str:
    try:
        return values.text(value)
    except FieldError as error:
        raise RecordError(f"{key}[{slot}]: {error}") from None


def _number(value: Any, key: str, slot: int) -> float | None:
    if value is None:
        return None
    try:
        return values.number(value)
    except FieldError as error:
        raise RecordError(f"{key}[{slot}]: {error}") from None


def _augmentation(record: Mapping[str, Any], problems: list[Problem]) -> Augmentation:
    try:
        return read_augmentation(record)
    except FieldError as error:
        logged = {key: record.get(key) for key in ("data_aug_level", "data_aug_params")}
        problems.append(Problem("data_aug_params", error, logged))
        return Augmentation()


def _scores(record: Mapping[str, Any], problems: list[Problem]) -> tuple[float | None, ...] | None:
    value = record.get("scores")
    if value is None:
        return None
    try:
        return tuple(None if item is None else _score(item) for item in _score_list(value))
    except FieldError as error:
        problems.append(Problem("scores", error, value))
        return None


def _score_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise FieldError("scores", found=type(value).__name__, expected="a list, one entry a uid")
    return value


def _score(value: Any) -> float:
    score = values.number(value)
    if abs(score) > MAX_FLOAT32:
        raise FieldError("scores", found=score, expected="float32 values")
    return score


def _other(record: Mapping[str, Any]) -> str | None:
    rest = undeclared(record)
    return canonical_json(rest).decode() if rest else None
