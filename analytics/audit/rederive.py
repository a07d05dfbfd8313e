"""One pass of the audit over a life: numbers re-derived, score verdicts, coverage of windows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from analytics.audit.chunks import COLUMNS, Chunk, joined
from analytics.audit.coverage import (
    Evidence,
    Stretches,
    add_to_stretches,
    hotkey_changes,
    no_stretches,
    with_room,
)
from analytics.audit.ema_gaps import ScoreVerdicts
from analytics.audit.ema_verdicts import (
    no_score_verdicts,
    score_verdicts,
    starts_at_zero,
    unknown_scores,
)
from analytics.scoring.ema_rule import EmaRule, Steps
from analytics.scoring.metrics import Floats
from analytics.scoring.self_consistency import self_consistent
from analytics.scoring.tracker import METRICS, ScoringSettings, Tracker

TOLERANCE = 1e-12
"""A logged metric or reward this close to the re-derived one is equal to it."""

_REWARD = len(METRICS)
# a single number that disagrees may have been changed; two that fit the others were not
_CONTRADICTING = 2


@dataclass(frozen=True)
class Rederived:
    """What the validator must have computed for each of m answers, if their windows are covered.

    `numbers` (7, m) are the `COLUMNS`, `changes` (m,) `HotkeyChange`s, `evidence` (m,) `Evidence`;
    `hotkeys` (records, uids) are the changes by record.
    """

    numbers: Floats
    changes: NDArray[np.int8]
    evidence: NDArray[np.int8]
    hotkeys: NDArray[np.int8]


@dataclass(frozen=True)
class AuditedChunk:
    """A chunk with the audit's findings; of each answer its stretch and its ordinal in it, (m,)."""

    chunk: Chunk
    rederived: Rederived
    verdicts: ScoreVerdicts
    stretches: NDArray[np.int64]
    ordinals: NDArray[np.int64]


class AuditPass:
    """One pass over a life, in constant memory. Another pass over the same life gives the same."""

    def __init__(
        self, uids: int, *, settings: ScoringSettings, rule: EmaRule, exact_start: bool
    ) -> None:
        """Before the first record.

        Args:
            uids: uids are below it.
            settings: the validator's.
            rule: of the scores.
            exact_start: the log is taken to start with the validator's first challenge.
        """
        self.starts_at_zero = False
        self.stretches: Stretches = no_stretches(uids)
        self._uids = uids
        self._settings = settings
        self._rule = rule
        self._exact = exact_start
        self._tracker = Tracker(settings, uids)
        self._hotkeys = np.full(uids, -1, np.int64)
        self._scores = unknown_scores(uids)

    def over(self, chunks: Iterable[Chunk]) -> Iterator[AuditedChunk]:
        """Audit a life's chunks in order; a record's verdicts take the next record into account."""
        held: tuple[Chunk, Rederived] | None = None
        for read in chunks:
            rederived = self._rederive(read)
            if held is None:
                self._begin(read, rederived)
                chunk = read
            else:
                chunk, rederived = joined(held[0], read), _joined(held[1], rederived)
            yield self._audit(chunk, rederived, len(chunk.scores) - 1)
            held = _last(chunk, rederived)
        if held is not None:
            yield self._audit(*held, 1)

    def _begin(self, chunk: Chunk, rederived: Rederived) -> None:
        if self._exact or starts_at_zero(self._rule, _steps(chunk, rederived)):
            self.starts_at_zero = True
            self._scores.carried[:] = 0

    def _rederive(self, chunk: Chunk) -> Rederived:
        answered = self._tracker.answer(
            chunk.uids,
            chunk.hotkeys,
            chunk.predictions,
            chunk.labels,
            chunk.exponents[chunk.records],
        )
        numbers = np.stack([getattr(answered, name) for name in COLUMNS])
        hotkeys = np.zeros((len(chunk.scores), self._uids), np.int8)
        changes = hotkey_changes(self._hotkeys, chunk.records, chunk.uids, chunk.hotkeys, hotkeys)
        return Rederived(numbers, changes, _evidence(chunk, numbers, answered.scored), hotkeys)

    def _audit(self, chunk: Chunk, rederived: Rederived, count: int) -> AuditedChunk:
        """Audit the first `count` records: all but the last, or all at the end of the life."""
        verdicts = no_score_verdicts(count, self._uids)
        score_verdicts(self._rule, self._scores, _steps(chunk, rederived), count, verdicts)
        bounds = np.searchsorted(chunk.records, np.arange(count + 1))
        within = slice(0, int(bounds[-1]))
        self.stretches = with_room(self.stretches, within.stop)
        stretches, ordinals = add_to_stretches(
            self.stretches,
            verdicts.interruptions,
            verdicts.hidden,
            bounds,
            chunk.uids[within],
            rederived.changes[within],
            rederived.evidence[within],
            self._settings.metrics_window,
            self._exact,
        )
        first = slice(0, count)
        return AuditedChunk(
            chunk=_sliced(chunk, first, within),
            rederived=_sliced_rederived(rederived, first, within),
            verdicts=verdicts,
            stretches=stretches,
            ordinals=ordinals,
        )


def _evidence(chunk: Chunk, numbers: Floats, scored: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The `Evidence` of each answer, (m,), from its logged and re-derived numbers, (7, m)."""
    logged, exponents = chunk.logged, chunk.exponents[chunk.records]
    excused = chunk.excused[chunk.records]
    differs = np.abs(logged - numbers) > TOLERANCE  # False where not logged
    differs[_REWARD] &= ~(excused & (logged[_REWARD] == 0))
    count = differs.sum(axis=0)
    doubtful = (count >= _CONTRADICTING) & ~np.isnan(logged).any(axis=0)
    contradicts = self_consistent(logged, exponents, doubtful, excused)
    accuracy = numbers[0]
    mixed = (accuracy > 0) & (accuracy < 1)
    agrees = (count == 0) & scored & ~np.isnan(logged[0])
    evidence = np.zeros(len(mixed), np.int8)
    evidence[agrees] |= Evidence.AGREES
    evidence[~mixed] |= Evidence.ONE_SIDED
    evidence[mixed] |= Evidence.MIXED
    evidence[contradicts] |= Evidence.CONTRADICTS
    return evidence


def _steps(chunk: Chunk, rederived: Rederived) -> Steps:
    """The chunk's scores with the rewards that moved them, by record and uid."""
    own, logged = np.full_like(chunk.scores, np.nan), np.full_like(chunk.scores, np.nan)
    # of a uid asked twice the last one stays
    own[chunk.records, chunk.uids] = rederived.numbers[_REWARD]
    logged[chunk.records, chunk.uids] = chunk.logged[_REWARD]
    return Steps(chunk.scores, own, logged, rederived.hotkeys, chunk.excused)


_BY_RECORD = ("scores", "lengths", "exponents", "excused")


def _sliced(chunk: Chunk, records: slice, answers: slice) -> Chunk:
    parts = {}
    for field in fields(Chunk):
        if field.name != "first":
            where = records if field.name in _BY_RECORD else answers
            parts[field.name] = getattr(chunk, field.name)[..., where]
    # scores have a second axis
    parts["scores"] = chunk.scores[records]
    start = records.start
    return replace(
        chunk, first=chunk.first + start, **(parts | {"records": parts["records"] - start})
    )


def _sliced_rederived(rederived: Rederived, records: slice, answers: slice) -> Rederived:
    return Rederived(
        numbers=rederived.numbers[:, answers],
        changes=rederived.changes[answers],
        evidence=rederived.evidence[answers],
        hotkeys=rederived.hotkeys[records],
    )


def _last(chunk: Chunk, rederived: Rederived) -> tuple[Chunk, Rederived]:
    """The last record with its answers, which waits for the one after it."""
    count = len(chunk.scores)
    answers = slice(int(np.searchsorted(chunk.records, count - 1)), None)
    records = slice(count - 1, None)
    return _sliced(chunk, records, answers), _sliced_rederived(rederived, records, answers)


def _joined(held: Rederived, more: Rederived) -> Rederived:
    return Rederived(
        numbers=np.concatenate([held.numbers, more.numbers], axis=1),
        changes=np.concatenate([held.changes, more.changes]),
        evidence=np.concatenate([held.evidence, more.evidence]),
        hotkeys=np.concatenate([held.hotkeys, more.hotkeys]),
    )
