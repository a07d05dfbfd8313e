"""Paired comparisons of a candidate with others: scores, differences, intervals, tests, notes."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    Scores,
    bootstrap_scores,
    point_scores,
)
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.mcnemar import mcnemar
from analytics.comparison.paired_answers import PairedAnswers
from analytics.comparison.rank import Rank, rank
from analytics.scoring.metrics import Floats
from replay.comparing.results import STATISTICS, Difference, PairedComparison, Score

_OTHER, _CANDIDATE = 0, 1
# statistics of answers; the others are of all that was asked
_OF_ANSWERS = ("accuracy", "mcc", "auc")


@dataclass(frozen=True)
class PairedDifferences:
    """Candidate minus each of M answerers by statistic, as observed and in each bootstrap draw.

    `points` are (M,) and `draws` (draws, M) by statistic; `images_answered` and `images_asked` (M,)
    are the source images that a statistic of answers, and one of all that was asked, rests on.
    """

    points: Scores
    draws: Scores
    images_answered: NDArray[np.int64]
    images_asked: NDArray[np.int64]
    level: float

    def enough(self, name: str) -> NDArray[np.bool_]:
        """(M,), whether there are images enough for an interval of this statistic."""
        images = self.images_answered if name in _OF_ANSWERS else self.images_asked
        return images >= MIN_IMAGES

    def intervals(self, name: str) -> list[Interval | None]:
        """Of each answerer; None where there are too few images."""
        ends = centred_intervals(self.points[name], self.draws[name], self.level)
        return [
            (float(low), float(high)) if enough else None
            for (low, high), enough in zip(ends, self.enough(name), strict=True)
        ]

    def rank(self, name: str, among: NDArray[np.bool_] | None = None) -> Rank:
        """The candidate's rank among those with images enough; others asked are left out.

        `among`, (M,), is False for answerers that are passed over; None ranks everyone.
        """
        chosen = np.ones(len(self.images_asked), np.bool_) if among is None else among
        ranked = chosen & self.enough(name)
        left_out = int((chosen & ~ranked & (self.images_asked > 0)).sum())
        draws = self.draws[name][:, ranked]
        return rank(self.points[name][ranked], draws, self.level, left_out)


@dataclass(frozen=True)
class PairedComparisons:
    """Paired comparisons with M answerers, in their order, and the differences they rest on."""

    comparisons: list[PairedComparison]
    differences: PairedDifferences


def paired_comparisons(
    paired: PairedAnswers, settings: BootstrapSettings, on_progress: Callable[[int], Any]
) -> PairedComparisons:
    """Compare the candidate with everyone in `paired`, each on the challenges of the other."""
    counts = image_confusion(paired, paired.challenges.positive_shares())
    points = point_scores(paired, counts, settings)
    draws = bootstrap_scores(paired, counts, settings, on_progress=on_progress)
    differences = PairedDifferences(
        _candidate_minus_other(points),
        _candidate_minus_other(draws),
        counts.image_counts,
        _images_asked(paired),
        settings.level,
    )
    tables = counts.summed()
    return PairedComparisons(_comparisons(paired, differences, points, tables), differences)


def _candidate_minus_other(scores: Scores) -> Scores:
    return {name: values[..., _CANDIDATE] - values[..., _OTHER] for name, values in scores.items()}


def paired_scores(
    paired: PairedAnswers, settings: BootstrapSettings
) -> Iterator[tuple[Score, Score]]:
    """Scores of each answerer and of the candidate on the same challenges; no intervals."""
    counts = image_confusion(paired, paired.challenges.positive_shares())
    yield from _paired_scores(paired, point_scores(paired, counts, settings), counts.summed())


def _paired_scores(
    paired: PairedAnswers, points: Scores, tables: Floats
) -> Iterator[tuple[Score, Score]]:
    for owner, asked in enumerate(np.diff(paired.answers.starts).tolist()):
        n = int(tables[owner, _OTHER].sum())
        other, candidate = (
            score({name: float(values[owner, side]) for name, values in points.items()}, n, asked)
            for side in (_OTHER, _CANDIDATE)
        )
        yield other, candidate


def _comparisons(
    paired: PairedAnswers, differences: PairedDifferences, points: Scores, tables: Floats
) -> list[PairedComparison]:
    intervals = {name: differences.intervals(name) for name in differences.draws}
    tests = mcnemar(paired, paired.challenges.positive_shares())
    return [
        PairedComparison(
            images=int(differences.images_asked[owner]),
            score=other,
            candidate=candidate,
            differences={
                name: Difference(
                    getattr(candidate, name) - getattr(other, name),
                    intervals[name][owner] if name in intervals else None,
                )
                for name in STATISTICS
            },
            mcnemar=tests[owner],
            notes=_notes(tables[owner], int(differences.images_answered[owner]), other.asked),
        )
        for owner, (other, candidate) in enumerate(_paired_scores(paired, points, tables))
    ]


def score(values: Mapping[str, float], n: int, asked: int) -> Score:
    """A `Score` of values by statistic; NaN where nothing was answered, or asked."""
    known = {
        name: value if (n if name in _OF_ANSWERS else asked) else math.nan
        for name, value in values.items()
    }
    # max would lose a NaN
    floored = known["mcc"] if math.isnan(known["mcc"]) else max(0.0, known["mcc"])
    return Score(n=n, asked=asked, floored_mcc=floored, **known)


def _images_asked(paired: PairedAnswers) -> NDArray[np.int64]:
    images, asked = paired.challenges.images, paired.answers.challenge
    parts = [asked[slice(*bounds)] for bounds in pairwise(paired.answers.starts.tolist())]
    return np.array([len(np.unique(images[part])) for part in parts], np.int64)


def _notes(tables: Floats, images: int, asked: int) -> list[str]:
    """What makes a number mean less than it seems, with the n that is missing."""
    n = int(tables[_OTHER].sum())
    if not n:
        return [f"answered 0 of the {asked} challenges that it was asked"] if asked else []
    labels = tables[_OTHER].sum(axis=1)
    notes = []
    if images < MIN_IMAGES:
        notes.append(f"{images} source images answered, {MIN_IMAGES} needed for an interval")
    if not labels.all():
        label = int(labels.argmax())
        why = "MCC and AUC are 0 by definition"
        return [*notes, f"all {n} labels are {label}, 0 are {1 - label}: {why}"]
    for side, whose in ((_OTHER, "its"), (_CANDIDATE, "the candidate's")):
        classes = tables[side].sum(axis=0)
        if np.count_nonzero(classes) == 1:
            only = ("0", "1", "neither 0 nor 1")[int(classes.argmax())]
            notes.append(f"all {n} of {whose} answers are class {only}: MCC is 0 by definition")
    return notes
