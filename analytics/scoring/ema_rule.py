"""The EMA rule: how a validator computes each score from the one before.

Source: the validator's `update_scores` (DOMAIN.md §3), float32 with every product rounded. The
target of an asked uid is its reward, of any other uid its own score, of a validator 0.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled

Float32s = NDArray[np.float32]
Bools = NDArray[np.bool_]


class Follows(IntEnum):
    """How a logged score follows from the one before by the EMA rule."""

    NOT = 0
    BY_REDERIVED = 1
    """By the re-derived reward; of a uid that was not asked, by its own score."""
    BY_LOGGED = 2
    """By the logged reward, which is not the re-derived one."""
    BY_DECAY = 3
    """As a validator's, which was not asked."""


class HotkeyChange(IntEnum):
    """How a uid's hotkey compares with that of its last answer."""

    SAME = 0
    FIRST_SEEN = 1
    CHANGED = 2


class EmaRule(NamedTuple):
    """float32 weights of the target (alpha) and of the old score (1 - alpha).

    `from_start`: the log is taken as complete; then each expected score follows from the expected
    one before, else from the logged one before unless that one is proven wrong.
    """

    weight: np.float32
    rest: np.float32
    from_start: bool


class Steps(NamedTuple):
    """Scores and rewards of n records, each (n, uids); NaN = not logged, or not asked.

    Rewards are `rederived` and as `logged`; of a uid asked twice the last ones. `hotkeys` are
    `HotkeyChange`s. `excused` (n,): a logged reward of 0 may come from a failed model check.
    """

    scores: Float32s
    rederived: Float32s
    logged: Float32s
    hotkeys: NDArray[np.int8]
    excused: Bools


@compiled
def step(rule: EmaRule, old: np.float32, target: np.float32) -> np.float32:
    """One update of one score, each product rounded to float32."""
    return np.float32(rule.weight * target) + np.float32(rule.rest * old)


@compiled
def follows(rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32) -> Follows:
    """How a uid's score of record n follows from the score `old`."""
    score, rederived = steps.scores[n, uid], steps.rederived[n, uid]
    if math.isnan(rederived):
        if score == step(rule, old, old):
            return Follows.BY_REDERIVED
        return Follows.BY_DECAY if score == step(rule, old, np.float32(0)) else Follows.NOT
    logged = steps.logged[n, uid]
    zero = np.float32(0)
    fresh = steps.hotkeys[n, uid] != HotkeyChange.SAME
    if score == step(rule, old, rederived) or (fresh and score == step(rule, zero, rederived)):
        return Follows.BY_REDERIVED
    if score == step(rule, old, logged) or (fresh and score == step(rule, zero, logged)):
        return Follows.BY_LOGGED
    return Follows.NOT


@compiled
def expected_score(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, validator: bool
) -> np.float32:
    """The score of record n by the EMA rule, from the score `old` before it.

    From the re-derived reward; from the logged one where the record's score is not logged.
    """
    rederived, zero = steps.rederived[n, uid], np.float32(0)
    if math.isnan(rederived):
        return step(rule, old, zero if validator else old)
    reward = rederived
    if math.isnan(steps.scores[n, uid]) and not rule.from_start:
        logged = steps.logged[n, uid]
        reward = rederived if math.isnan(logged) else logged
    changed = steps.hotkeys[n, uid] == HotkeyChange.CHANGED
    return step(rule, zero if changed else old, reward)


@compiled
def continued(rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32) -> np.float32:
    """The score that the EMA rule allows in record n and that record n + 1 follows from, or NaN."""
    rederived, zero = steps.rederived[n, uid], np.float32(0)
    nan = np.float32(np.nan)
    if math.isnan(rederived):
        first, second, third = step(rule, old, old), step(rule, old, zero), nan
    else:
        logged = steps.logged[n, uid]
        first, second = step(rule, old, rederived), step(rule, old, logged)
        fresh = steps.hotkeys[n, uid] != HotkeyChange.SAME
        third = step(rule, zero, rederived) if fresh else nan
    for allowed in (first, second, third):
        if not math.isnan(allowed) and follows(rule, steps, n + 1, uid, allowed) != Follows.NOT:
            return allowed
    return nan
