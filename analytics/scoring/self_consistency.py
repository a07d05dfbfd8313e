"""What a logged answer's own numbers say: do they agree, does the reward give accuracy over ten?"""

import math

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats
from data.records import accuracy_of_ten as ten
from data.records.accuracy_of_ten import FRACTION_TOLERANCE, SHORT_WINDOW

_LONG_WINDOW = 100
# of an answer's logged columns, in this order
_ACCURACY, _PRECISION, _RECALL, _F1, _MCC, _AUC, _REWARD = range(7)

accuracy_of_ten_compiled = compiled(ten.accuracy_of_ten)
least_answers_compiled = compiled(ten.least_answers)


@compiled
def recoverable(rewards: Floats, mccs: Floats, exponents: Floats) -> NDArray[np.bool_]:
    """Whether accuracy over ten can be recovered from each reward and MCC; shapes (n,).

    Not from a reward of 0, nor where no fraction of at most ten answers fits.
    """
    result = np.zeros(len(rewards), np.bool_)
    for n in range(len(rewards)):
        result[n] = rewards[n] > 0 and _fits_ten(rewards[n], mccs[n], exponents[n])
    return result


@compiled
def self_consistent(
    logged: Floats, exponents: Floats, chosen: NDArray[np.bool_], excused: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the seven numbers of an answer could come from one window of answers, (n,).

    A number changed afterwards contradicts the others; numbers from a window with answers that the
    log lacks do not contradict each other.

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
def _fits_ten(reward: float, mcc: float, exponent: float) -> bool:
    return least_answers_compiled(accuracy_of_ten_compiled(reward, mcc, exponent), SHORT_WINDOW) > 0


@compiled
def _reward_agrees(numbers: Floats, exponent: float) -> bool:
    reward, accuracy = float(numbers[_REWARD]), float(numbers[_ACCURACY])
    mcc = float(numbers[_MCC])
    if reward <= 0:
        # also for no answer and for one outside 0..1
        return reward == 0
    recent = accuracy_of_ten_compiled(reward, mcc, exponent)
    if least_answers_compiled(recent, SHORT_WINDOW) == 0:
        return False
    if numbers[:_REWARD].max() == 0:
        # one odd answer makes all metrics of the long window 0, not those of the short one
        return True
    # what is right among the last ten is right among the last hundred
    return (recent < FRACTION_TOLERANCE or accuracy > 0) and (
        recent > 1 - FRACTION_TOLERANCE or accuracy < 1
    )


@compiled
def _table_agrees(numbers: Floats) -> bool:
    """Whether accuracy, precision, recall, F1, MCC and AUC fit one table of at most 100 answers."""
    accuracy, auc, mcc = float(numbers[_ACCURACY]), float(numbers[_AUC]), float(numbers[_MCC])
    precision, recall = float(numbers[_PRECISION]), float(numbers[_RECALL])
    total = precision + recall
    f1 = 2 * precision * recall / total if total > 0 else 0.0
    if abs(f1 - numbers[_F1]) > FRACTION_TOLERANCE or not 0 <= auc <= 1:
        return False
    if least_answers_compiled(accuracy, _LONG_WINDOW) == 0:
        return False
    if precision <= 0 or recall <= 0:
        return precision == 0 and recall == 0 and mcc == 0
    if accuracy >= 1:
        perfect = precision == 1 and recall == 1
        return perfect and (mcc == 1 or (mcc == 0 and auc == 0))
    return abs(_mcc(accuracy, precision, recall) - mcc) < FRACTION_TOLERANCE


@compiled
def _mcc(accuracy: float, precision: float, recall: float) -> float:
    """MCC with the floor of 0 from the three shares, as they fix the table but for its size."""
    hits, misses = recall, 1 - recall
    false_alarms = recall * (1 - precision) / precision
    rest = (accuracy * (1 + false_alarms) - recall) / (1 - accuracy)
    if rest < -FRACTION_TOLERANCE:
        return math.nan
    spread = (false_alarms + rest) * (misses + rest) * (hits + false_alarms)
    if spread < FRACTION_TOLERANCE:
        return 0.0
    return max(0.0, (hits * rest - false_alarms * misses) / math.sqrt(spread))
