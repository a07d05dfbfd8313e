"""The eras, each a version of the validator with its habits, and which of them wrote a record.

A new era is a new line of `ERAS`. The era of a record is inferred from its keys, then its time,
then the reward formula. The package version is not an era key: it goes down, and 2.0.1 spans
both reward formulas. Dates are merges to main (UTC, give or take hours), see DOMAIN.md §5.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

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
ALL_EXPONENTS = frozenset(EXPONENTS.values())
"""The exponents that rewards have had."""

_ALL = frozenset(ERA_BY_NAME)
_WITHOUT_SOURCE = frozenset(era.name for era in ERAS if not era.logs_source)
_WITH_MODEL_URLS = frozenset(era.name for era in ERAS if era.checks_models)
_REPEATING_UIDS = frozenset(era.name for era in ERAS if era.repeats_uids)
_BY_GEOMETRY: Mapping[Geometry, frozenset[str]] = {
    geometry: frozenset(era.name for era in ERAS if era.geometry is geometry)
    for geometry in Geometry
}
KEYS, TIME, EXPONENT = "keys", "time", "exponent"
"""The kinds of evidence of an era."""

# A merge is not a deployment: near a boundary both neighbours stay possible.
_SLACK = timedelta(hours=12)


class Evidence(NamedTuple):
    """What a record's content says about its era.

    `without_augmentation`: it is of an api image, names its task or logs no level. `geometry` is
    what its parameters or its level are of, None where they say nothing. `repeats_uids`: a uid
    stands twice, or the uids are no list. `exponents`: those with which every reward fits.
    """

    without_augmentation: bool
    geometry: Geometry | None
    has_model_urls: bool
    has_source: bool
    repeats_uids: bool
    exponents: frozenset[int]


class InferredEras(NamedTuple):
    """The eras that could have written a record, earliest first, never none; and what says so.

    `evidence` names what left fewer of them: `keys` (that are there, or not), `time`, `exponent`
    (of the reward); `not time` is one that contradicts stronger evidence, and was ignored.
    """

    candidates: tuple[str, ...]
    evidence: tuple[str, ...]


def infer_eras(record: Mapping[str, Any], time: datetime | None) -> InferredEras:
    """The eras that could have written `record`.

    Args:
        record: a Media record as logged.
        time: when it was logged (UTC), where that is known.
    """
    return eras_of_evidence(_evidence_of(record), time)


def eras_of_evidence(evidence: Evidence, time: datetime | None) -> InferredEras:
    """The eras that fit.

    Evidence is applied in the order: keys present, keys absent, time, exponent. Evidence that would
    leave no candidate contradicts stronger evidence and is ignored.
    """
    return _eras_that_fit(evidence, _ALL if time is None else _by_time(time))


@cache
def _eras_that_fit(evidence: Evidence, by_time: frozenset[str]) -> InferredEras:
    candidates = _ALL
    said: dict[str, None] = {}
    for kind, possible in _possible_eras(evidence, by_time):
        left = candidates & possible
        if not left:
            said[f"not {kind}"] = None
        elif left != candidates:
            said[kind] = None
            candidates = left
    names = tuple(era.name for era in ERAS if era.name in candidates)
    return InferredEras(names, tuple(said))


def _possible_eras(
    evidence: Evidence, by_time: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Each piece of evidence, the strongest first: of what kind it is, and the eras that fit it."""
    for possible in _eras_of_keys(evidence):
        yield KEYS, possible
    yield TIME, by_time
    yield EXPONENT, frozenset(name for name, e in EXPONENTS.items() if e in evidence.exponents)
    if not evidence.has_source:
        yield KEYS, _WITHOUT_SOURCE


def _eras_of_keys(evidence: Evidence) -> Iterator[frozenset[str]]:
    without = _BY_GEOMETRY[Geometry.NONE]
    yield without if evidence.without_augmentation else _ALL - without
    if evidence.geometry is not None:
        yield _BY_GEOMETRY[evidence.geometry]
    if evidence.has_model_urls:
        yield _WITH_MODEL_URLS
    if evidence.has_source:
        yield _ALL - _WITHOUT_SOURCE
    if evidence.repeats_uids:
        yield _REPEATING_UIDS
    if evidence.has_source and not evidence.has_model_urls:
        yield _ALL - _WITH_MODEL_URLS
    if not evidence.has_source and evidence.has_model_urls:
        yield _WITHOUT_SOURCE


def _evidence_of(record: Mapping[str, Any]) -> Evidence:
    uids = record.get("miner_uids")
    level = record.get("data_aug_level")
    return Evidence(
        without_augmentation=record.get("source") == "api"
        or "task_id" in record
        or "data_aug_level" not in record,
        geometry=logged_geometry(record.get("data_aug_params"), level),
        has_model_urls="model_urls" in record,
        has_source="source" in record,
        repeats_uids=not isinstance(uids, list) or len(set(map(str, uids))) < len(uids),
        exponents=_fitting_exponents(record.get("rewards"), record.get("miner_image_mcc")),
    )


def logged_geometry(parameters: object, level: object) -> Geometry | None:
    """The geometry that an augmentation's parameters or level are of; None where none shows."""
    if not isinstance(parameters, Mapping):
        return None
    if "ResizeWithPadding" in parameters:
        return Geometry.LETTERBOX
    if "RandomResizedCropWithParams" in parameters or level == 0:
        return Geometry.CROP
    return None


def _by_time(time: datetime) -> frozenset[str]:
    ends = [era.start for era in ERAS[1:]] + [HALTED]
    return frozenset(
        era.name
        for era, end in zip(ERAS, ends, strict=True)
        if era.start - _SLACK <= time < end + _SLACK
    )


def _fitting_exponents(rewards: object, mccs: object) -> frozenset[int]:
    if not isinstance(rewards, Sequence) or not isinstance(mccs, Sequence):
        return ALL_EXPONENTS
    pairs = [
        (reward, mcc)
        for reward, mcc in zip(rewards, mccs, strict=False)
        if isinstance(reward, int | float) and isinstance(mcc, int | float) and reward > 0
    ]
    return frozenset(e for e in ALL_EXPONENTS if exponent_fits(e, pairs))


def exponent_fits(exponent: int, pairs: Iterable[tuple[float, float]]) -> bool:
    """Whether every accuracy over 10, 2 * reward ** (1/exponent) - MCC, is a fraction.

    Args:
        exponent: of the reward.
        pairs: a reward above 0 and the MCC beside it.
    """
    return all(
        least_answers(accuracy_of_ten(reward, mcc, exponent), SHORT_WINDOW) for reward, mcc in pairs
    )
