"""The law by which every logged score follows from the one before.

Source: the validator's `update_scores` (DOMAIN.md §3), float32 with every product rounded: an asked
uid moves towards its reward, another one towards itself, a validator towards 0.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled

Float32s = NDArray[np.float32]
Bools = NDArray[np.bool_]

# how a score follows from the one before: not at all; by the re-derived reward, or as of a uid that
# was not asked; by the logged reward; as a validator's
NOT, BY_OWN, BY_LOGGED, BY_DECAY = range(4)
# whether a uid's hotkey is another one than at its last answer
SAME, FIRST_SEEN, CHANGED = range(3)


class EmaRule(NamedTuple):
    """float32 weights of the target and of the old score, and whether the log claims to be whole.

    From the start our own scores are carried on; else the log's own, but for those proven wrong.
    """

    weight: np.float32
    rest: np.float32
    from_start: bool


class Steps(NamedTuple):
    """Scores of n records and what moved them, each (n, uids); NaN = not logged, or not asked.

    `own` rewards are re-derived, `logged` ones as logged; of a uid asked twice the last ones.
    `hotkeys` is SAME, FIRST_SEEN or CHANGED. `excused` (n,): a logged reward of 0 may come from a
    failed model check.
    """

    scores: Float32s
    own: Float32s
    logged: Float32s
    hotkeys: NDArray[np.int8]
    excused: Bools


@compiled
def step(rule: EmaRule, old: np.float32, target: np.float32) -> np.float32:
    """One update of one score."""
    return np.float32(rule.weight * target) + np.float32(rule.rest * old)


@compiled
def follows(rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32) -> int:
    """How a uid's score of record n follows from `old`: NOT, BY_OWN, BY_LOGGED or BY_DECAY."""
    score, own = steps.scores[n, uid], steps.own[n, uid]
    if math.isnan(own):
        if score == step(rule, old, old):
            return BY_OWN
        return BY_DECAY if score == step(rule, old, np.float32(0)) else NOT
    logged = steps.logged[n, uid]
    zero = np.float32(0)
    fresh = steps.hotkeys[n, uid] != SAME
    if score == step(rule, old, own) or (fresh and score == step(rule, zero, own)):
        return BY_OWN
    if score == step(rule, old, logged) or (fresh and score == step(rule, zero, logged)):
        return BY_LOGGED
    return NOT


@compiled
def expected_score(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, validator: bool
) -> np.float32:
    """What `old` becomes in record n; by the logged reward only where no score can tell."""
    own, zero = steps.own[n, uid], np.float32(0)
    if math.isnan(own):
        return step(rule, old, zero if validator else old)
    reward = own
    if math.isnan(steps.scores[n, uid]) and not rule.from_start:
        logged = steps.logged[n, uid]
        reward = own if math.isnan(logged) else logged
    return step(rule, zero if steps.hotkeys[n, uid] == CHANGED else old, reward)


@compiled
def continued(rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32) -> np.float32:
    """The lawful score of this record from which the next one goes on; NaN if none does."""
    own, zero = steps.own[n, uid], np.float32(0)
    nan = np.float32(np.nan)
    if math.isnan(own):
        first, second, third = step(rule, old, old), step(rule, old, zero), nan
    else:
        logged = steps.logged[n, uid]
        first, second = step(rule, old, own), step(rule, old, logged)
        third = step(rule, zero, own) if steps.hotkeys[n, uid] != SAME else nan
    for candidate in (first, second, third):
        if not math.isnan(candidate) and follows(rule, steps, n + 1, uid, candidate) != NOT:
            return candidate
    return nan
