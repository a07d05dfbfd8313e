"""Verdicts of an audit on every logged number: checked, not checkable and why, or wrong."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.audit.chunks import COLUMNS
from analytics.audit.coverage import StretchStart
from analytics.audit.ema_gaps import ScoreVerdict
from analytics.audit.rederive import TOLERANCE, AuditedChunk
from analytics.scoring.metrics import Floats
from analytics.scoring.self_consistency import recoverable
from data.errors import QueryError

CHECKED = (*COLUMNS, "score")
"""The audited columns, as the report names them."""

LOG_STARTS_LATER = "window not covered: the log starts later than the miner's history"
AFTER_GAP = "window not covered: a record is missing"
BROKEN = "window not covered: the numbers imply an answer that is not logged"
NOT_LOGGED = "not logged, or not finite"
MODEL_CHECK = "model invalid or check failed"
NO_EARLIER_SCORE = "score: no earlier score to start from"
NO_REWARD = "score: its reward's window is not covered"
SCORE_IN_GAP = "score: a record is missing before it"
UNCONFIRMED = "score: 0 or decayed for the first time, and no later record explains it"
BEYOND = "uid beyond any subnet"

_UNCOVERED = {
    StretchStart.FIRST: LOG_STARTS_LATER,
    StretchStart.LATER: LOG_STARTS_LATER,
    StretchStart.AFTER_GAP: AFTER_GAP,
    StretchStart.NEW_HOTKEY_AFTER_GAP: AFTER_GAP,
    StretchStart.BROKEN: BROKEN,
}
_UNCHECKED_SCORES = {
    ScoreVerdict.IN_GAP: SCORE_IN_GAP,
    ScoreVerdict.NO_EARLIER_SCORE: NO_EARLIER_SCORE,
    ScoreVerdict.NOT_LOGGED: NOT_LOGGED,
    ScoreVerdict.UNCONFIRMED: UNCONFIRMED,
}
_REWARD, _MCC = COLUMNS.index("reward"), COLUMNS.index("mcc")
_MOST_MISMATCHES = 1_000_000


@dataclass(frozen=True)
class Wrong:
    """A logged number that is not the re-derived one; a score has no slot.

    `ordinal` is the record's number in the order of the audit, from 0 on.
    """

    ordinal: int
    slot: int | None
    uid: int
    column: str
    logged: float
    expected: float


@dataclass
class Tally:
    """Counts of checked numbers by column and of others by reason, and the wrong ones in order.

    `uncovered_paid` answers are paid and without a covered window; `accuracy_recovered` of them
    give accuracy over ten.
    """

    checked: Counter[str] = field(default_factory=Counter)
    unchecked: Counter[str] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)
    accuracy_recovered: int = 0
    uncovered_paid: int = 0

    def add(
        self, audited: AuditedChunk, covered: NDArray[np.bool_], starts: NDArray[np.int8]
    ) -> None:
        """Count one chunk.

        Args:
            audited: the chunk.
            covered: whether the log holds the whole window of each answer, (m,).
            starts: how the stretch of each answer starts, (m,).

        Raises:
            QueryError: there are so many mismatches that the settings must be wrong.
        """
        self._answers(audited, covered, starts)
        self._scores(audited, covered)
        self._recover(audited, covered)
        if len(self.wrong) > _MOST_MISMATCHES:
            raise QueryError(
                "audit",
                found=f"more than {_MOST_MISMATCHES:,} mismatches",
                expected="a log of this validator's arithmetic",
                remedy="try without --from-start, or another --alpha",
            )

    def _answers(
        self, audited: AuditedChunk, covered: NDArray[np.bool_], starts: NDArray[np.int8]
    ) -> None:
        logged, rederived = audited.chunk.logged, audited.rederived.numbers
        is_logged = ~np.isnan(logged)
        self._skip(NOT_LOGGED, _count(~is_logged))
        for start, reason in _UNCOVERED.items():
            self._skip(reason, _count(is_logged[:, ~covered & (starts == start)]))
        checked = is_logged & covered
        failed = _failed_checks(audited) & checked[_REWARD]
        checked[_REWARD] &= ~failed
        self._skip(MODEL_CHECK, _count(failed))
        for column, count in zip(COLUMNS, checked.sum(axis=1).tolist(), strict=True):
            self.checked[column] += count
        wrong = checked & (np.abs(logged - rederived) > TOLERANCE)
        for answer, index in np.argwhere(wrong.T).tolist():
            self._add_wrong(audited, answer, index)

    def _add_wrong(self, audited: AuditedChunk, answer: int, column: int) -> None:
        chunk = audited.chunk
        self.wrong.append(
            Wrong(
                ordinal=chunk.first + int(chunk.records[answer]),
                slot=int(chunk.slots[answer]),
                uid=int(chunk.uids[answer]),
                column=COLUMNS[column],
                logged=float(chunk.logged[column, answer]),
                expected=float(audited.rederived.numbers[column, answer]),
            )
        )

    def _scores(self, audited: AuditedChunk, covered: NDArray[np.bool_]) -> None:
        """Count scores; that of an asked uid is checkable only where its reward is."""
        chunk, verdicts = audited.chunk, audited.verdicts
        codes = verdicts.codes
        is_logged = np.arange(codes.shape[1]) < chunk.lengths[:, None]
        without = np.zeros_like(is_logged)
        without[chunk.records[~covered], chunk.uids[~covered]] = True
        without &= is_logged & ~np.isin(codes, list(_UNCHECKED_SCORES))
        self._skip(NO_REWARD, _count(without))
        for code, reason in _UNCHECKED_SCORES.items():
            self._skip(reason, _count(is_logged & (codes == code)))
        checked = is_logged & ~without & ~np.isin(codes, list(_UNCHECKED_SCORES))
        self.checked["score"] += _count(checked)
        wrong = checked & np.isin(codes, (ScoreVerdict.MISMATCH, ScoreVerdict.OTHER_REWARD))
        for record, uid in np.argwhere(wrong).tolist():
            self.wrong.append(
                Wrong(
                    ordinal=chunk.first + record,
                    slot=None,
                    uid=uid,
                    column="score",
                    logged=float(chunk.scores[record, uid]),
                    expected=float(verdicts.expected[record, uid]),
                )
            )

    def _recover(self, audited: AuditedChunk, covered: NDArray[np.bool_]) -> None:
        chunk = audited.chunk
        rewards: Floats = chunk.logged[_REWARD, ~covered]
        mccs: Floats = chunk.logged[_MCC, ~covered]
        exponents = chunk.exponents[chunk.records[~covered]]
        self.uncovered_paid += _count((rewards > 0) & ~np.isnan(mccs))
        self.accuracy_recovered += _count(recoverable(rewards, mccs, exponents))

    def _skip(self, reason: str, count: int) -> None:
        if count:
            self.unchecked[reason] += count


def _failed_checks(audited: AuditedChunk) -> NDArray[np.bool_]:
    """Rewards of 0 in E4..E6 where one was earned, unless the score shows that it was paid."""
    chunk, earned = audited.chunk, audited.rederived.numbers[_REWARD]
    zeroed = chunk.excused[chunk.records] & (chunk.logged[_REWARD] == 0) & (earned > TOLERANCE)
    paid = audited.verdicts.codes[chunk.records, chunk.uids] == ScoreVerdict.FOLLOWS
    result: NDArray[np.bool_] = zeroed & ~paid
    return result


def _count(chosen: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(chosen))
