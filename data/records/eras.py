"""Which version of the validator wrote a record: told by keys, then time, then the reward formula.

The package version is not an era key: it goes down and 2.0.1 spans both reward formulas. Dates are
merges to main (UTC, give or take hours), see DOMAIN.md §5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Era:
    """One version of the validator: name, first day, and the exponent of its reward."""

    name: str
    start: datetime
    exponent: int


def _utc(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


ERAS = (
    Era("E4", _utc(2025, 7, 1), 1),
    Era("E5", _utc(2025, 7, 16), 1),
    Era("E6", _utc(2025, 7, 29), 1),
    Era("E7", _utc(2025, 12, 4), 3),
    Era("E8", _utc(2026, 1, 6), 3),
    Era("E9", _utc(2026, 4, 6), 3),
    Era("E10", _utc(2026, 5, 3), 3),
)
HALTED = _utc(2026, 5, 6)
EXPONENTS: Mapping[str, int] = {era.name: era.exponent for era in ERAS}

_ALL = frozenset(EXPONENTS)
_E4_TO_E5 = frozenset({"E4", "E5"})
_E4_TO_E6 = frozenset({"E4", "E5", "E6"})
_CROPS = frozenset({"E4", "E5", "E6", "E7", "E8"})
# A merge is not a deployment: near a boundary both neighbours stay possible.
_SLACK = timedelta(hours=12)
_ANSWERS_IN_SHORT_WINDOW = 10
_TOLERANCE = 1e-9


def era_candidates(record: Mapping[str, Any], time: datetime | None) -> tuple[str, ...]:
    """The eras that could have written `record`, earliest first; never empty.

    Evidence is weighed in the order keys that are there, keys that are not, time, exponent. A piece
    that would leave no candidate contradicts stronger evidence and is passed over.

    Args:
        record: a Media record as logged.
        time: when it was logged (UTC), where that is known.
    """
    left = _ALL
    for possible in _evidence(record, time):
        left = (left & possible) or left
    return tuple(era.name for era in ERAS if era.name in left)


def _evidence(record: Mapping[str, Any], time: datetime | None) -> Iterator[frozenset[str]]:
    yield from _keys_present(record)
    if "source" in record and "model_urls" not in record:
        yield _ALL - _E4_TO_E6
    if "source" not in record and "model_urls" in record:
        yield _E4_TO_E5
    if time is not None:
        yield _by_time(time)
    yield _by_exponent(record)
    if "source" not in record:
        yield _E4_TO_E5


def _keys_present(record: Mapping[str, Any]) -> Iterator[frozenset[str]]:
    uids = record.get("miner_uids")
    parameters = record.get("data_aug_params")
    if record.get("source") == "api" or "task_id" in record or "data_aug_level" not in record:
        yield frozenset({"E10"})
    else:
        yield _ALL - {"E10"}
    if isinstance(parameters, Mapping):
        if "ResizeWithPadding" in parameters:
            yield frozenset({"E9"})
        elif "RandomResizedCropWithParams" in parameters or record.get("data_aug_level") == 0:
            yield _CROPS
    if "model_urls" in record:
        yield _E4_TO_E6
    if "source" in record:
        yield _ALL - _E4_TO_E5
    if not isinstance(uids, list) or len(set(map(str, uids))) < len(uids):
        yield frozenset({"E8", "E9", "E10"})


def _by_time(time: datetime) -> frozenset[str]:
    ends = [era.start for era in ERAS[1:]] + [HALTED]
    return frozenset(
        era.name
        for era, end in zip(ERAS, ends, strict=True)
        if era.start - _SLACK <= time < end + _SLACK
    )


def _by_exponent(record: Mapping[str, Any]) -> frozenset[str]:
    """Eras whose exponent makes every accuracy over ten, 2 * reward ** (1/e) - mcc, a fraction."""
    rewards, mccs = record.get("rewards"), record.get("miner_image_mcc")
    if not isinstance(rewards, Sequence) or not isinstance(mccs, Sequence):
        return _ALL
    pairs = [
        (reward, mcc)
        for reward, mcc in zip(rewards, mccs, strict=False)
        if isinstance(reward, int | float) and isinstance(mcc, int | float) and reward > 0
    ]
    fits = {e for e in (1, 3) if all(_is_short_accuracy(2 * r ** (1 / e) - m) for r, m in pairs)}
    return frozenset(name for name, e in EXPONENTS.items() if e in fits)


def _is_short_accuracy(value: float) -> bool:
    """True if `value` is k/n for some n of at most ten answers."""
    return -_TOLERANCE <= value <= 1 + _TOLERANCE and any(
        abs(value * n - round(value * n)) < _TOLERANCE * n
        for n in range(1, _ANSWERS_IN_SHORT_WINDOW + 1)
    )
