"""What one logged answer says by itself: accuracy over the last ten, whether its numbers agree.

The log does not hold that accuracy, but the reward does: reward = ((mcc + accuracy) / 2) ** e. It
is a fraction of at most ten answers, so almost any wrong reward or MCC gives itself away.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

SHORT_ANSWERS, LONG_ANSWERS = 10, 100
_TOLERANCE = 1e-9
# of an answer's logged columns, in this order
_ACCURACY, _PRECISION, _RECALL, _F1, _MCC, _AUC, _REWARD = range(7)


def recent_accuracy(reward: float, mcc: float, exponent: float) -> Fraction | None:
    """The hidden accuracy over the last ten answers, in lowest terms.

    Args:
        reward: as logged; one of 0 tells nothing, as a wrong form of answer earns 0 too.
        mcc: as logged, over the last hundred.
        exponent: of the reward, by era (`data.records.eras.EXPONENTS`).

    Returns:
        None where the reward is 0, or where no fraction of at most ten answers fits.
    """
    answered = _short_answers(reward, mcc, exponent) if reward > 0 else 0
    if answered == 0:
        return None
    return Fraction(round(_recent(reward, mcc, exponent) * answered), answered)


@compiled
def recoverable(rewards: Floats, mccs: Floats, exponents: Floats) -> NDArray[np.bool_]:
    """Whether `recent_accuracy` finds a fraction for each answer; shapes (n,)."""
    found = np.zeros(len(rewards), np.bool_)
    for n in range(len(rewards)):
        found[n] = rewards[n] > 0 and _short_answers(rewards[n], mccs[n], exponents[n]) > 0
    return found


@compiled
def self_consistent(
    logged: Floats, exponents: Floats, chosen: NDArray[np.bool_], excused: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the seven numbers of an answer could come from one window, whichever that is.

    A number changed afterwards contradicts the others; numbers from a window with answers that the
    log lacks do not.

    Args:
        logged: (7, n): accuracy, precision, recall, F1, MCC, AUC, reward; none may be NaN.
        exponents: (n,), of the reward.
        chosen: (n,), which to look at; others give False.
        excused: (n,), where a reward of 0 says nothing.
    """
    result = np.zeros(len(chosen), np.bool_)
    for n in range(len(chosen)):
        if chosen[n]:
            numbers = logged[:, n]
            silent = excused[n] and numbers[_REWARD] == 0
            result[n] = _table_agrees(numbers) and (silent or _reward_agrees(numbers, exponents[n]))
    return result


@compiled
def _recent(reward: float, mcc: float, exponent: float) -> float:
    return 2 * math.pow(reward, 1 / exponent) - mcc


@compiled
def _short_answers(reward: float, mcc: float, exponent: float) -> int:
    """The least number of answers that accuracy over the last ten can be a share of; 0 if none."""
    return _denominator(_recent(reward, mcc, exponent), SHORT_ANSWERS)


@compiled
def _denominator(value: float, most: int) -> int:
    if not -_TOLERANCE <= value <= 1 + _TOLERANCE:
        return 0
    for whole in range(1, most + 1):
        if abs(value * whole - np.rint(value * whole)) < _TOLERANCE * whole:
            return whole
    return 0


@compiled
def _reward_agrees(numbers: Floats, exponent: float) -> bool:
    reward, accuracy = float(numbers[_REWARD]), float(numbers[_ACCURACY])
    mcc = float(numbers[_MCC])
    if reward <= 0:
        # also for no answer and for one outside 0..1
        return reward == 0
    if _short_answers(reward, mcc, exponent) == 0:
        return False
    recent = _recent(reward, mcc, exponent)
    if numbers[:_REWARD].max() == 0:
        # one odd answer makes all metrics of the long window 0, not those of the short one
        return True
    # what is right among the last ten is right among the last hundred
    return (recent < _TOLERANCE or accuracy > 0) and (recent > 1 - _TOLERANCE or accuracy < 1)


@compiled
def _table_agrees(numbers: Floats) -> bool:
    """Whether accuracy, precision, recall, F1, MCC and AUC fit one table of at most 100 answers."""
    accuracy, auc, mcc = float(numbers[_ACCURACY]), float(numbers[_AUC]), float(numbers[_MCC])
    precision, recall = float(numbers[_PRECISION]), float(numbers[_RECALL])
    both = precision + recall
    f1 = 2 * precision * recall / both if both > 0 else 0.0
    if abs(f1 - numbers[_F1]) > _TOLERANCE or not 0 <= auc <= 1:
        return False
    if _denominator(accuracy, LONG_ANSWERS) == 0:
        return False
    if precision <= 0 or recall <= 0:
        return precision == 0 and recall == 0 and mcc == 0
    if accuracy >= 1:
        whole = precision == 1 and recall == 1
        return whole and (mcc == 1 or (mcc == 0 and auc == 0))
    return abs(_mcc(accuracy, precision, recall) - mcc) < _TOLERANCE


@compiled
def _mcc(accuracy: float, precision: float, recall: float) -> float:
    """MCC with the floor of 0 from the three shares, as they fix the table but for its size."""
    hits, misses = recall, 1 - recall
    false_alarms = recall * (1 - precision) / precision
    rest = (accuracy * (1 + false_alarms) - recall) / (1 - accuracy)
    if rest < -_TOLERANCE:
        return math.nan
    spread = (false_alarms + rest) * (misses + rest) * (hits + false_alarms)
    if spread < _TOLERANCE:
        return 0.0
    return max(0.0, (hits * rest - false_alarms * misses) / math.sqrt(spread))
