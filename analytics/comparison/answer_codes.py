"""Answers as codes of a byte, from which the bootstrap's compiled loops compute rewards."""

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Answers, Challenges
from analytics.numba_loops import compiled
from analytics.scoring.metrics import UNANSWERED, Floats

Codes = NDArray[np.uint8]

# Bits of an answer's code; plain integers, as compiled loops test them.
POSITIVE_LABEL = 1 << 0
"""The label is 1."""
POSITIVE_ANSWER = 1 << 1
"""The answer is of class 1."""
NO_ANSWER = 1 << 2
PAID = 1 << 3
"""The answer lies in 0..1, so that it is rewarded."""
NEW_HISTORY = 1 << 4
"""The first answer of a history: another answerer, life or spell."""
LAST = 1 << 5
"""The answerer's last answer to that challenge."""
NEITHER_CLASS = 1 << 6
"""An answer of neither class, or not finite: packed counts cannot hold it."""
NEW_LIFE = 1 << 7
"""The first answer in a validator's life."""
OUTCOME = POSITIVE_LABEL | POSITIVE_ANSWER | NO_ANSWER


def candidate_codes(
    challenges: Challenges, positive_shares: Floats, uniforms: Floats | float
) -> Codes:
    """(C,), the candidate's answers as codes, one variant sampled for each challenge.

    Args:
        challenges: that it is asked.
        positive_shares: (C,), the share 0..1 of variants whose answer is of class 1.
        uniforms: (C,), uniform in 0..1: the sampled variant is answered with class 1 where it is
            below `positive_shares`.
    """
    codes: Codes = (uniforms < positive_shares).astype(np.uint8)
    codes *= POSITIVE_ANSWER
    codes |= challenges.labels.astype(np.uint8)
    codes |= PAID
    return codes


def answer_codes(challenges: Challenges, answers: Answers) -> Codes:
    """(A,), answers as the codes that `paired_rewards` scores."""
    prediction, classes = answers.prediction, answers.classes
    unanswered = prediction == UNANSWERED
    first = np.zeros(len(prediction) + 1, np.bool_)
    first[answers.starts] = True
    new_life = first[:-1] | (np.diff(challenges.lives[answers.challenge], prepend=-1) != 0)
    new_history = new_life | (np.diff(answers.spell, prepend=-1) != 0)
    last = first[1:] | (np.diff(answers.challenge, append=-1) != 0)
    flags = (
        (classes == 1, POSITIVE_ANSWER),
        (unanswered, NO_ANSWER),
        ((prediction >= 0) & (prediction <= 1), PAID),
        (new_history, NEW_HISTORY),
        (new_life, NEW_LIFE),
        (last, LAST),
        (~unanswered & (classes != 0) & (classes != 1), NEITHER_CLASS),
    )
    codes = challenges.labels[answers.challenge].astype(np.uint8)
    for flag, bit in flags:
        codes |= flag.view(np.uint8) * np.uint8(bit)
    return codes


def with_outcomes_of(codes: Codes, other: Codes) -> Codes:
    """Codes with the label, class and pay of `other`, (A,) both; histories begin where they did."""
    outcome = np.uint8(OUTCOME | PAID)
    return (codes & ~outcome) | (other & outcome)


@compiled
def history_end(codes: Codes, first: int, end: int) -> int:
    """Where the history that starts at `first` ends, among an answerer's answers up to `end`."""
    for index in range(first + 1, end):
        if codes[index] & NEW_HISTORY:
            return index
    return end


@compiled
def has_flag(codes: Codes, flag: int) -> bool:
    """Whether any code holds a flag, without an array of the answer for each."""
    combined = np.uint8(0)
    for code in codes:
        combined |= code
    return bool(combined & flag)
