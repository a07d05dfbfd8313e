"""McNemar's exact test: of the challenges where only one of two is right, is it the same one?"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analytics.comparison.multiple_tests import holm
from analytics.comparison.paired_answers import PairedAnswers
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class McNemar:
    """Challenges that only the candidate got right, and only the miner; p-values, two-sided.

    `p` is exact (binomial; 1 where they never differ), `holm_p` corrected for as many tests as
    there are miners. Repeats of an image count each, though they are not independent: the intervals
    over source images are the safer guide.
    """

    candidate_only: int
    miner_only: int
    p: float
    holm_p: float


def mcnemar(paired: PairedAnswers, positive_shares: Floats) -> list[McNemar | None]:
    """The test against each answerer, None for one who answered nothing.

    Where the candidate's answer is a distribution its class is that of most possible images.

    Args:
        paired: who answered what.
        positive_shares: (C,), the probability that the candidate's answer is of class 1; a half is
            class 0.
    """
    answers = paired.answers
    used = answers.answered
    labels = paired.challenges.labels[answers.challenge]
    ours, theirs = (positive_shares > 1 / 2)[answers.challenge] == labels, answers.classes == labels
    wins, losses, both = (
        np.bincount(answers.owner, used & only, answers.count).astype(int)
        for only in (ours & ~theirs, theirs & ~ours, used)
    )
    exact = [
        float(stats.binomtest(int(win), int(win + loss)).pvalue) if win + loss else 1.0
        for win, loss in zip(wins, losses, strict=True)
    ]
    tested = both > 0
    corrected = np.full(answers.count, np.nan)
    corrected[tested] = holm(np.array(exact)[tested])
    return [
        McNemar(int(wins[k]), int(losses[k]), exact[k], float(corrected[k])) if tested[k] else None
        for k in range(answers.count)
    ]
