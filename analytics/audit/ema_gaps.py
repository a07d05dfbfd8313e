"""What breaks the law of scores: records that the log lacks, and processes that start again.

A record that is missing moved the scores of those whom it asked; others went on by one step more.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import (
    BY_LOGGED,
    BY_OWN,
    CHANGED,
    NOT,
    Bools,
    EmaRule,
    Float32s,
    Steps,
    follows,
    step,
)

# how a logged score stands beside the law
FOLLOWS, ZEROED, OTHER_REWARD, MISMATCH, IN_GAP, UNKNOWN, NOT_LOGGED, UNCONFIRMED, UNEXPLAINED = (
    range(9)
)
# what happened just before a record
NOTHING, GAP, RESTART = range(3)

_LONGEST_GAP = 64
_RESTARTED_AT_LEAST = 3
_RESTARTED_SHARE = 0.95


class ScoreState(NamedTuple):
    """By uid, (uids,): the score believed true and the one last logged (NaN: unknown), the last
    reward.

    `validators` are those whose scores decay.
    """

    carried: Float32s
    logged: Float32s
    rewards: Float32s
    validators: Bools


class ScoreVerdicts(NamedTuple):
    """Verdict, expected score, and whether a uid may have answered unlogged before, (n, uids).

    `events` (n,) is what happened before each record, `missing` (n,) how many records are missing
    there at least.
    """

    codes: NDArray[np.int8]
    expected: Float32s
    hidden: Bools
    events: NDArray[np.int8]
    missing: NDArray[np.int64]


@compiled
def restarted(state: ScoreState, steps: Steps, n: int) -> bool:
    """Whether the scores of nearly all who were not asked went to 0 at once."""
    known, zeros = 0, 0
    for uid in range(len(state.carried)):
        score = steps.scores[n, uid]
        if state.carried[uid] > 0 and math.isnan(steps.own[n, uid]) and not math.isnan(score):
            known += 1
            zeros += score == 0
    return known >= _RESTARTED_AT_LEAST and zeros >= _RESTARTED_SHARE * known


@compiled
def gap_before(
    rule: EmaRule, state: ScoreState, steps: Steps, n: int, verdicts: ScoreVerdicts
) -> bool:
    """Whether scores moved as only an unlogged record moves them."""
    asked, asked_moved, moved, unclear = 0, 0, 0, 0
    for uid in range(len(state.carried)):
        was_asked = not math.isnan(steps.own[n, uid])
        asked += was_asked
        code = verdicts.codes[n, uid]
        if code not in (UNEXPLAINED, IN_GAP):
            continue
        # with our own scores carried on, an old difference is no news
        if follows(rule, steps, n, uid, state.logged[uid]) != NOT:
            continue
        unclear += 1
        if code == UNEXPLAINED:
            moved += not was_asked
            asked_moved += was_asked
    half = (asked + 1) // 2
    return moved > 0 or asked_moved >= max(2, half) or unclear >= max(1, half)


@compiled
def missing_records(
    rule: EmaRule, state: ScoreState, steps: Steps, n: int, verdicts: ScoreVerdicts
) -> int:
    """How many records are missing at least; marks the uids that these may have asked."""
    kept, decayed = state.carried.copy(), state.carried.copy()
    best, missing = -1, 1
    for length in range(1, _LONGEST_GAP + 1):
        _pass_record(rule, kept, decayed)
        found = 0
        for uid in range(len(kept)):
            found += _unasked(rule, steps, n, uid, kept[uid], decayed[uid]) and kept[uid] > 0
        if found > best:
            best, missing = found, length
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
    """A record that asks nobody."""
    for uid in range(len(kept)):
        kept[uid] = step(rule, kept[uid], kept[uid])
        decayed[uid] = step(rule, decayed[uid], np.float32(0))


@compiled
def _unasked(
    rule: EmaRule, steps: Steps, n: int, uid: int, kept: np.float32, decayed: np.float32
) -> bool:
    """Whether a score looks as if its uid was not asked in the hole before record n."""
    if math.isnan(steps.scores[n, uid]) or steps.hotkeys[n, uid] == CHANGED:
        return False
    if follows(rule, steps, n, uid, kept) in (BY_OWN, BY_LOGGED):
        return True
    decays: bool = steps.scores[n, uid] == step(rule, decayed, np.float32(0))
    return decays and math.isnan(steps.own[n, uid])


@compiled
def _answer_would_show(rule: EmaRule, state: ScoreState, uid: int) -> bool:
    """Whether an answer would have moved the score: not one that equals the reward it earns."""
    old = state.carried[uid]
    still = step(rule, old, old)
    last = state.rewards[uid]
    return bool(
        still != step(rule, old, np.float32(0))
        and still != step(rule, old, np.float32(1))
        and still != step(rule, old, last)
    )
