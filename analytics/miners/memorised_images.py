"""Memorised images: miners near perfect on source images asked before, worse the first time.

Such a miner answers from a memory of earlier images and labels, which says nothing of new ones.

Two comparisons of each miner with itself. On the same image, its first answer against later ones:
under the null hypothesis each of an image's answers is equally likely the first, so the number of
right first answers is Poisson-binomial given how often each image was answered rightly (a
permutation within images, McNemar's test where each has two). In the same period, repeats against
first answers: a miner that learns is also better on images that it sees again, but not better than
on new ones of the same period. It is unknown which of several validators asked first: first answers
and periods are counted within each life.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analytics.comparison.intervals import Interval
from analytics.comparison.multiple_tests import holm
from analytics.miners.answers import Flags, Indices, Miner, MinerAnswers
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class MemorisationSettings:
    """Thresholds of `MemorisationTest.suspect`.

    `few_images`: miners with fewer images answered twice or more are not tested. `near_perfect`:
    accuracy on repeats, 0..1. `error`: the family-wise error rate, 0..1: of any false suspect at
    all. `periods`: equal parts of a miner's answers in a life, in order. `level`: of intervals,
    0..1.
    """

    few_images: int = 20
    near_perfect: float = 0.95
    error: float = 0.01
    periods: int = 10
    level: float = 0.95


@dataclass(frozen=True)
class MemorisationTest:
    """One miner's accuracy on first answers to an image against that on repeats.

    Images are rows of a shard. `first_accuracy` is of `first_sights` answers, `repeat_accuracy` of
    `repeats`. `images` were answered twice or more; `paired_difference` is the mean over them of
    later less first accuracy, `same_period_difference` that of repeats less first answers within
    periods; intervals are clustered by image, None with too few images. `p_value` is one-sided,
    exact, and after Holm's correction.

    `suspect`: near perfect on repeats, the p-value below the error, and both intervals above 0.
    """

    miner: Miner
    first_sights: int
    first_accuracy: float
    repeats: int
    repeat_accuracy: float
    images: int
    paired_difference: float
    paired_interval: Interval
    same_period_difference: float | None
    same_period_interval: Interval | None
    p_value: float
    suspect: bool


@dataclass(frozen=True)
class Memorisation:
    """Tests of all miners with enough repeats, lowest p-value first; `left_out` had too few."""

    tests: list[MemorisationTest]
    left_out: int


@dataclass(frozen=True)
class _Encounters:
    """One miner's answers, (n,) each: the image's number in its life, right, repeat, period."""

    image: Indices
    right: Floats
    repeat: Flags
    period: Indices


def memorisation_tests(
    answers: MinerAnswers, settings: MemorisationSettings = MemorisationSettings()
) -> Memorisation:
    """Test every miner; answers to images that name no row of a shard do not count."""
    named = answers.challenges["names_row"].to_numpy()[answers.challenge]
    real = answers.only(named)
    order = np.argsort(real.miner, kind="stable")
    ends = np.searchsorted(real.miner[order], np.arange(len(answers.miners) + 1))
    life, image, right = real.life, real.image, real.right
    drafts = []
    for number, miner in enumerate(answers.miners):
        own = order[ends[number] : ends[number + 1]]
        draft = _test(
            miner, _encounters(life[own], image[own], right[own], settings.periods), settings
        )
        if draft is not None:
            drafts.append(draft)
    adjusted = holm(np.array([draft.p_value for draft in drafts]))
    tests = [_corrected(draft, p, settings) for draft, p in zip(drafts, adjusted, strict=True)]
    tests.sort(key=lambda test: (test.p_value, -test.paired_difference))
    return Memorisation(tests, len(answers.miners) - len(tests))


def _encounters(life: Indices, image: Indices, right: Flags, periods: int) -> _Encounters:
    _, life_index, counts = np.unique(life, return_inverse=True, return_counts=True)
    own_image = life_index * (image.max(initial=0) + 1) + image
    _, first, dense = np.unique(own_image, return_index=True, return_inverse=True)
    repeat = np.ones(len(image), dtype=bool)
    repeat[first] = False
    # answers of one life are contiguous
    ordinal = np.arange(len(image)) - np.repeat(np.cumsum(counts) - counts, counts)
    period = life_index * periods + ordinal * periods // counts[life_index]
    return _Encounters(dense, right.astype(np.float64), repeat, period)


def _test(
    miner: Miner, encounters: _Encounters, settings: MemorisationSettings
) -> MemorisationTest | None:
    """The test before Holm's correction, `suspect` still False; None with too few images."""
    seen = np.bincount(encounters.image)
    if np.count_nonzero(seen > 1) < settings.few_images:
        return None
    total = np.bincount(encounters.image, encounters.right)
    first = np.bincount(encounters.image, encounters.right * ~encounters.repeat)
    again = seen > 1
    seen, total, first = seen[again], total[again], first[again]
    differences = (total - first) / (seen - 1) - first
    mixed = (total > 0) & (total < seen)
    p_value = _lower_tail(float(first[mixed].sum()), (total / seen)[mixed])
    same_period = _same_period(encounters, settings.level)
    return MemorisationTest(
        miner=miner,
        first_sights=int(np.count_nonzero(~encounters.repeat)),
        first_accuracy=float(encounters.right[~encounters.repeat].mean()),
        repeats=int(np.count_nonzero(encounters.repeat)),
        repeat_accuracy=float(encounters.right[encounters.repeat].mean()),
        images=len(seen),
        paired_difference=float(differences.mean()),
        paired_interval=_interval(
            float(differences.mean()),
            float(differences.std(ddof=1) / np.sqrt(len(differences))),
            len(differences),
            settings.level,
        ),
        same_period_difference=None if same_period is None else same_period[0],
        same_period_interval=None if same_period is None else same_period[1],
        p_value=p_value,
        suspect=False,
    )


def _lower_tail(right_firsts: float, chances: Floats) -> float:
    """The probability of so few right first answers; 1 where no image has right and wrong ones."""
    if not len(chances):
        return 1.0
    return min(1.0, max(0.0, float(stats.poisson_binom.cdf(right_firsts, chances))))


def _same_period(encounters: _Encounters, level: float) -> tuple[float, Interval] | None:
    """Accuracy of repeats less first answers within periods, and its interval.

    Weighted by Mantel and Haenszel; the variance is linearised and clustered by image. None where
    no period holds both.
    """
    counts = np.stack(
        [np.bincount(encounters.period, kind) for kind in (~encounters.repeat, encounters.repeat)]
    )
    right = np.stack(
        [
            np.bincount(encounters.period, encounters.right * kind)
            for kind in (~encounters.repeat, encounters.repeat)
        ]
    )
    weights = counts[0] * counts[1] / np.maximum(counts.sum(axis=0), 1)
    if weights.sum() == 0:
        return None
    weights /= weights.sum()
    means = right / np.maximum(counts, 1)
    column = encounters.repeat.astype(int)
    sign = 2 * column - 1
    share = weights[encounters.period] / counts[column, encounters.period]
    parts = sign * share * (encounters.right - means[column, encounters.period])
    of_images = np.bincount(encounters.image, parts)
    images = len(of_images)
    difference = float((weights * (means[1] - means[0])).sum())
    spread = float(np.sqrt((of_images**2).sum() * images / (images - 1)))
    return difference, _interval(difference, spread, images, level)


def _interval(centre: float, error: float, images: int, level: float) -> Interval:
    half = float(stats.t.ppf((1 + level) / 2, images - 1)) * error
    return centre - half, centre + half


def _corrected(
    draft: MemorisationTest, p_value: float, settings: MemorisationSettings
) -> MemorisationTest:
    same_period = draft.same_period_interval
    better = draft.paired_interval[0] > 0 and same_period is not None and same_period[0] > 0
    near = draft.repeat_accuracy >= settings.near_perfect
    suspect = bool(better and near and p_value <= settings.error)
    return replace(draft, p_value=float(p_value), suspect=suspect)
