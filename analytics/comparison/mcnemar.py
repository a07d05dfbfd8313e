"""McNemar's exact test: is the candidate right where a miner is wrong as often as the reverse?"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from analytics.comparison.multiple_tests import holm
from analytics.comparison.paired_answers import PairedAnswers
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class McNemar:
    """Answers that only the candidate got right, and only the miner; two-sided p-values.

    `p` is exact (binomial; 1 where they never differ), `holm_p` is adjusted for the tests of all
    miners. Repeats of an image count each, though they are not independent: the intervals
    over source images are the safer guide.
    """

    candidate_only: int
    miner_only: int
    p: float
    holm_p: float


def mcnemar(paired: PairedAnswers, positive_shares: Floats) -> list[McNemar | None]:
    """The test against each answerer, None for one that answered nothing.

    Where a challenge has several variants the candidate's class is that of most of them.

    Args:
        paired: answers of miners and of the candidate.
        positive_shares: (C,), the probability that the candidate's answer is of class 1; a half is
            class 0.
    """
    answers = paired.answers
    used = answers.answered
    labels = paired.challenges.labels
    candidate_right = ((positive_shares > 1 / 2) == labels)[answers.challenge]
    miner_right = answers.classes == labels[answers.challenge]
    parts = [slice(*bounds) for bounds in pairwise(answers.starts.tolist())]
    candidate_only, miner_only, answered = (
        np.array([np.count_nonzero(counted[part]) for part in parts], np.int64)
        for counted in (
            used & candidate_right & ~miner_right,
            used & miner_right & ~candidate_right,
            used,
        )
    )
    exact = np.array(
        [
            stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
            for wins, losses in zip(candidate_only.tolist(), miner_only.tolist(), strict=True)
        ]
    )
    tested = answered > 0
    adjusted = np.full(answers.count, np.nan)
    adjusted[tested] = holm(exact[tested])
    return [
        McNemar(int(candidate_only[miner]), int(miner_only[miner]), float(p), float(holm_p))
        if tested[miner]
        else None
        for miner, (p, holm_p) in enumerate(zip(exact, adjusted, strict=True))
    ]
