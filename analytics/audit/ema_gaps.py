"""EMA gaps: records that the log lacks, and restarts of the validator, found by its scores.

A missing record moved the scores of the uids that it asked by their rewards; all other scores made
one more step of the EMA.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import (
    Bools,
    EmaRule,
    Float32s,
    Follows,
    HotkeyChange,
    Steps,
    follows,
    step,
)

_LONGEST_GAP = 64
_RESTARTED_AT_LEAST = 3
_RESTARTED_SHARE = 0.95


class ScoreVerdict(IntEnum):
    """What the audit says of a logged score."""

    FOLLOWS = 0
    """Right: it follows from the score before by the EMA rule."""
    ZEROED = 1
    """It follows from a logged reward of 0, which may come from a failed model check."""
    OTHER_REWARD = 2
    """It follows from the logged reward, which is not the re-derived one."""
    MISMATCH = 3
    """Wrong: it does not follow by the EMA rule."""
    IN_GAP = 4
    """Not checkable: a record before it may be missing."""
    NO_EARLIER_SCORE = 5
    """Not checkable: no score before it is known."""
    NOT_LOGGED = 6
    UNCONFIRMED = 7
    """Not checkable: 0 or decayed for the first time, and no later record explains it."""
    UNEXPLAINED = 8
    """For now: the next record follows from it, but nothing logged explains it.

    `score_verdicts` makes it IN_GAP or MISMATCH.
    """


class Interruption(IntEnum):
    """What happened just before a record."""

    NONE = 0
    GAP = 1
    """Records are missing."""
    RESTART = 2
    """The validator's process started again, with all scores at 0."""


class ScoreState(NamedTuple):
    """By uid, (uids,): the carried score that the next one is expected to follow from, the score
    last logged, and the last reward, each NaN where unknown.

    `validators` are those whose scores decay.
    """

    carried: Float32s
    logged: Float32s
    rewards: Float32s
    validators: Bools


class ScoreVerdicts(NamedTuple):
    """By record and uid, (n, uids): `ScoreVerdict` codes, expected scores, hidden answers.

    `hidden` is where the uid may have answered in an unlogged record just before. By record, (n,):
    the `Interruption` before it, and how many records are missing there at least.
    """

    codes: NDArray[np.int8]
    expected: Float32s
    hidden: Bools
    interruptions: NDArray[np.int8]
    missing: NDArray[np.int64]


@compiled
def restarted(state: ScoreState, steps: Steps, n: int) -> bool:
    """Whether the scores of nearly all uids that were not asked fell to 0 at once."""
    known, zeros = 0, 0
    for uid in range(len(state.carried)):
        score = steps.scores[n, uid]
        if state.carried[uid] > 0 and math.isnan(steps.rederived[n, uid]) and not math.isnan(score):
            known += 1
            zeros += score == 0
    return known >= _RESTARTED_AT_LEAST and zeros >= _RESTARTED_SHARE * known


@compiled
def gap_before(
    rule: EmaRule, state: ScoreState, steps: Steps, n: int, verdicts: ScoreVerdicts
) -> bool:
    """Whether scores moved as only a missing record moves them."""
    asked, asked_moved, moved, unclear = 0, 0, 0, 0
    for uid in range(len(state.carried)):
        was_asked = not math.isnan(steps.rederived[n, uid])
        asked += was_asked
        code = verdicts.codes[n, uid]
        if code not in (ScoreVerdict.UNEXPLAINED, ScoreVerdict.IN_GAP):
            continue
        # expected scores may differ from logged ones since an earlier record
        if follows(rule, steps, n, uid, state.logged[uid]) != Follows.NOT:
            continue
        unclear += 1
        if code == ScoreVerdict.UNEXPLAINED:
            moved += not was_asked
            asked_moved += was_asked
    half = (asked + 1) // 2
    return moved > 0 or asked_moved >= max(2, half) or unclear >= max(1, half)


@compiled
def missing_records(
    rule: EmaRule, state: ScoreState, steps: Steps, n: int, verdicts: ScoreVerdicts
) -> int:
    """The least number of missing records; sets `hidden` for the uids that they may have asked."""
    kept, decayed = state.carried.copy(), state.carried.copy()
    best, missing = -1, 1
    for length in range(1, _LONGEST_GAP + 1):
        _pass_record(rule, kept, decayed)
        unasked = 0
        for uid in range(len(kept)):
            unasked += _unasked(rule, steps, n, uid, kept[uid], decayed[uid]) and kept[uid] > 0
        if unasked > best:
            best, missing = unasked, length
    kept[:], decayed[:] = state.carried, state.carried
    for _ in range(missing):
        _pass_record(rule, kept, decayed)
    for uid in range(len(kept)):
        # an unlogged reward of 0 looks like decay
        last = decayed[uid] if state.validators[uid] else np.float32(np.nan)
        seen = _unasked(rule, steps, n, uid, kept[uid], last)
        verdicts.hidden[n, uid] = not (seen and _answer_would_show(rule, state, uid))
    return missing


@compiled
def _pass_record(rule: EmaRule, kept: Float32s, decayed: Float32s) -> None:
    """Move scores over a missing record that did not ask these uids."""
    for uid in range(len(kept)):
        kept[uid] = step(rule, kept[uid], kept[uid])
        decayed[uid] = step(rule, decayed[uid], np.float32(0))


@compiled
def _unasked(
    rule: EmaRule, steps: Steps, n: int, uid: int, kept: np.float32, decayed: np.float32
) -> bool:
    """Whether a score looks as if its uid was not asked in the gap before record n."""
    if math.isnan(steps.scores[n, uid]) or steps.hotkeys[n, uid] == HotkeyChange.CHANGED:
        return False
    if follows(rule, steps, n, uid, kept) in (Follows.BY_REDERIVED, Follows.BY_LOGGED):
        return True
    decays: bool = steps.scores[n, uid] == step(rule, decayed, np.float32(0))
    return decays and math.isnan(steps.rederived[n, uid])


@compiled
def _answer_would_show(rule: EmaRule, state: ScoreState, uid: int) -> bool:
    """Whether an unlogged answer would have moved the score visibly.

    One that earns a reward equal to the score moves nothing: 0, 1 and the last reward are tried.
    """
    old = state.carried[uid]
    still = step(rule, old, old)
    last = state.rewards[uid]
    return bool(
        still != step(rule, old, np.float32(0))
        and still != step(rule, old, np.float32(1))
        and still != step(rule, old, last)
    )
