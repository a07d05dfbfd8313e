"""The eras, each a version of the validator with its habits, and which of them wrote a record.

A new era is a new line of `ERAS`. The era of a record is inferred from its keys, then its time,
then the reward formula. The package version is not an era key: it goes down, and 2.0.1 spans
both reward formulas. Dates are merges to main (UTC, give or take hours), see DOMAIN.md §5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from data.records.accuracy_of_ten import SHORT_WINDOW, accuracy_of_ten, least_answers
from data.records.types import Geometry


@dataclass(frozen=True)
class Era:
    """One version of the validator: its first day, its reward, and what else differs by version.

    Attributes:
        name: E4 to E10.
        start: when it was merged to main (UTC).
        exponent: of the reward.
        geometry: how a source image becomes what miners see; NONE where it stays as it is.
        logs_source: records hold the key `source`; before that every image was real.
        checks_models: miners' models are checked. Records hold `model_urls`, and an answer whose
            model fails, or whose check fails, gets reward 0 without a word in the log.
        restarts_scores: a new process starts with scores of 0 for all uids (until 2025-08-06).
        repeats_uids: uids are dealt from a shuffled deck: one may be asked twice in a challenge,
            and a single uid is logged as a number rather than a list.
    """

    name: str
    start: datetime
    exponent: int
    geometry: Geometry = Geometry.CROP
    logs_source: bool = True
    checks_models: bool = False
    restarts_scores: bool = False
    repeats_uids: bool = False


def _utc(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


ERAS = (
    Era("E4", _utc(2025, 7, 1), 1, logs_source=False, checks_models=True, restarts_scores=True),
    Era("E5", _utc(2025, 7, 16), 1, logs_source=False, checks_models=True, restarts_scores=True),
    Era("E6", _utc(2025, 7, 29), 1, checks_models=True, restarts_scores=True),
    Era("E7", _utc(2025, 12, 4), 3),
    Era("E8", _utc(2026, 1, 6), 3, repeats_uids=True),
    Era("E9", _utc(2026, 4, 6), 3, geometry=Geometry.LETTERBOX, repeats_uids=True),
    Era("E10", _utc(2026, 5, 3), 3, geometry=Geometry.NONE, repeats_uids=True),
)
ERA_BY_NAME: Mapping[str, Era] = {era.name: era for era in ERAS}
HALTED = _utc(2026, 5, 6)
EXPONENTS: Mapping[str, int] = {era.name: era.exponent for era in ERAS}
"""The exponent of the reward, by the era's name."""

_ALL = frozenset(ERA_BY_NAME)
_WITHOUT_SOURCE = frozenset(era.name for era in ERAS if not era.logs_source)
_WITH_MODEL_URLS = frozenset(era.name for era in ERAS if era.checks_models)
_REPEATING_UIDS = frozenset(era.name for era in ERAS if era.repeats_uids)
_BY_GEOMETRY: Mapping[Geometry, frozenset[str]] = {
    geometry: frozenset(era.name for era in ERAS if era.geometry is geometry)
    for geometry in Geometry
}
# A merge is not a deployment: near a boundary both neighbours stay possible.
_SLACK = timedelta(hours=12)


def era_candidates(record: Mapping[str, Any], time: datetime | None) -> tuple[str, ...]:
    """The eras that could have written `record`, earliest first; never empty.

    Evidence is applied in the order: keys present, keys absent, time, exponent. Evidence that would
    leave no candidate contradicts stronger evidence and is ignored.

    Args:
        record: a Media record as logged.
        time: when it was logged (UTC), where that is known.
    """
    candidates = _ALL
    for possible in _evidence(record, time):
        candidates = (candidates & possible) or candidates
    return tuple(era.name for era in ERAS if era.name in candidates)


def _evidence(record: Mapping[str, Any], time: datetime | None) -> Iterator[frozenset[str]]:
    yield from _keys_present(record)
    if "source" in record and "model_urls" not in record:
        yield _ALL - _WITH_MODEL_URLS
    if "source" not in record and "model_urls" in record:
        yield _WITHOUT_SOURCE
    if time is not None:
        yield _by_time(time)
    yield _by_exponent(record)
    if "source" not in record:
        yield _WITHOUT_SOURCE


def _keys_present(record: Mapping[str, Any]) -> Iterator[frozenset[str]]:
    uids = record.get("miner_uids")
    parameters = record.get("data_aug_params")
    if record.get("source") == "api" or "task_id" in record or "data_aug_level" not in record:
        yield _BY_GEOMETRY[Geometry.NONE]
    else:
        yield _ALL - _BY_GEOMETRY[Geometry.NONE]
    if isinstance(parameters, Mapping):
        if "ResizeWithPadding" in parameters:
            yield _BY_GEOMETRY[Geometry.LETTERBOX]
        elif "RandomResizedCropWithParams" in parameters or record.get("data_aug_level") == 0:
            yield _BY_GEOMETRY[Geometry.CROP]
    if "model_urls" in record:
        yield _WITH_MODEL_URLS
    if "source" in record:
        yield _ALL - _WITHOUT_SOURCE
    if not isinstance(uids, list) or len(set(map(str, uids))) < len(uids):
        yield _REPEATING_UIDS


def _by_time(time: datetime) -> frozenset[str]:
    ends = [era.start for era in ERAS[1:]] + [HALTED]
    return frozenset(
        era.name
        for era, end in zip(ERAS, ends, strict=True)
        if era.start - _SLACK <= time < end + _SLACK
    )


def _by_exponent(record: Mapping[str, Any]) -> frozenset[str]:
    """Eras whose exponent e makes every accuracy over 10, 2 * reward ** (1/e) - mcc, a fraction."""
    rewards, mccs = record.get("rewards"), record.get("miner_image_mcc")
    if not isinstance(rewards, Sequence) or not isinstance(mccs, Sequence):
        return _ALL
    pairs = [
        (reward, mcc)
        for reward, mcc in zip(rewards, mccs, strict=False)
        if isinstance(reward, int | float) and isinstance(mcc, int | float) and reward > 0
    ]
    fits = {
        exponent
        for exponent in (1, 3)
        if all(
            least_answers(accuracy_of_ten(reward, mcc, exponent), SHORT_WINDOW)
            for reward, mcc in pairs
        )
    }
    return frozenset(name for name, e in EXPONENTS.items() if e in fits)
