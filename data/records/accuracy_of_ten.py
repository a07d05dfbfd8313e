"""A miner's accuracy over its last ten answers, which no log holds, from a reward and an MCC.

reward = ((MCC + accuracy) / 2) ** exponent. An accuracy of n answers is a fraction k/n, so that
almost any wrong reward, MCC or exponent shows: no fraction of at most ten answers fits then.
"""

SHORT_WINDOW = 10
"""Answers in the window of the accuracy that a reward holds, unanswered ones included."""
FRACTION_TOLERANCE = 1e-9
"""An accuracy this close to a fraction k/n is k/n."""


def accuracy_of_ten(reward: float, mcc: float, exponent: float) -> float:
    """The accuracy that a reward above 0 holds, 0..1; any other number if they contradict.

    Args:
        reward: as logged, above 0; one of 0 may be that of a prediction outside 0..1.
        mcc: as logged, over the last hundred answers.
        exponent: of the reward, by era (`eras.EXPONENTS`).
    """
    accuracy: float = 2 * reward ** (1 / exponent) - mcc
    return accuracy


def least_answers(accuracy: float, most: int) -> int:
    """The least n of 1..`most` for which an accuracy is k/n with 0 <= k <= n; 0 if there is none.

    Plain enough that Numba can compile it, too. `audit_recent_accuracy.sql` says the same in SQL,
    and a test holds the two together.
    """
    if not -FRACTION_TOLERANCE <= accuracy <= 1 + FRACTION_TOLERANCE:
        return 0
    for n in range(1, most + 1):
        if abs(accuracy * n - round(accuracy * n)) < FRACTION_TOLERANCE * n:
            return n
    return 0
