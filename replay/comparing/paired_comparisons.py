"""A candidate against each of several answerers: scores, differences, intervals, tests, notes."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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

_THEIRS, _OURS = 0, 1
# statistics of answers; the others are of all that was asked
_OF_ANSWERS = ("accuracy", "mcc", "auc")


@dataclass(frozen=True)
class PairedComparisons:
    """Duels with M answerers, and the differences, candidate minus other, that they rest on.

    `points` are (M,) and `draws` (draws, M) by statistic; `images` (M,) are the source images that
    a statistic of answers, and one of all that was asked, rests on.
    """

    comparisons: list[PairedComparison]
    points: Scores
    draws: Scores
    images_answered: NDArray[np.int64]
    images_asked: NDArray[np.int64]
    level: float

    def enough(self, name: str) -> NDArray[np.bool_]:
        """(M,), whether there are images enough for an interval of this statistic."""
        images = self.images_answered if name in _OF_ANSWERS else self.images_asked
        return images >= MIN_IMAGES

    def rank(self, name: str) -> Rank:
        """The candidate's place among those with images enough; others asked are left out."""
        placed = self.enough(name)
        left_out = int((~placed & (self.images_asked > 0)).sum())
        draws = self.draws[name][:, placed]
        return rank(self.points[name][placed], draws, self.level, left_out)


def paired_comparisons(
    paired: PairedAnswers, settings: BootstrapSettings, on_progress: Callable[[int], Any]
) -> PairedComparisons:
    """Put the candidate in the place of everyone in `paired`."""
    counts = image_confusion(paired, paired.challenges.positive_shares())
    found = point_scores(paired, counts, settings)
    drawn = bootstrap_scores(paired, counts, settings, on_progress=on_progress)
    points, draws = (
        {name: values[..., _OURS] - values[..., _THEIRS] for name, values in scores.items()}
        for scores in (found, drawn)
    )
    judged = PairedComparisons(
        [], points, draws, counts.image_counts, _images_asked(paired), settings.level
    )
    judged.comparisons.extend(_duels(paired, judged, found, counts.summed()))
    return judged


def scores_of(paired: PairedAnswers, settings: BootstrapSettings) -> Iterator[tuple[Score, Score]]:
    """Of everyone in `paired` and of the candidate in their place, without intervals."""
    counts = image_confusion(paired, paired.challenges.positive_shares())
    yield from _sides(paired, point_scores(paired, counts, settings), counts.summed())


def _sides(paired: PairedAnswers, found: Scores, tables: Floats) -> Iterator[tuple[Score, Score]]:
    for one, asked in enumerate(np.diff(paired.answers.starts).tolist()):
        n = int(tables[one, _THEIRS].sum())
        theirs, ours = (
            score({name: float(values[one, side]) for name, values in found.items()}, n, asked)
            for side in (_THEIRS, _OURS)
        )
        yield theirs, ours


def _duels(
    paired: PairedAnswers, judged: PairedComparisons, found: Scores, tables: Floats
) -> Iterator[PairedComparison]:
    intervals = {name: _intervals(judged, name) for name in judged.draws}
    tests = mcnemar(paired, paired.challenges.positive_shares())
    for one, (theirs, ours) in enumerate(_sides(paired, found, tables)):
        yield PairedComparison(
            images=int(judged.images_asked[one]),
            score=theirs,
            candidate=ours,
            differences={
                name: Difference(
                    getattr(ours, name) - getattr(theirs, name),
                    intervals[name][one] if name in intervals else None,
                )
                for name in STATISTICS
            },
            mcnemar=tests[one],
            notes=_notes(tables[one], int(judged.images_answered[one]), theirs.asked),
        )


def score(found: Mapping[str, float], n: int, asked: int) -> Score:
    """A `Score` of what was found by statistic; NaN where nothing was answered, or asked."""
    known = {
        name: value if (n if name in _OF_ANSWERS else asked) else math.nan
        for name, value in found.items()
    }
    # max would lose a NaN
    floored = known["mcc"] if math.isnan(known["mcc"]) else max(0.0, known["mcc"])
    return Score(n=n, asked=asked, floored_mcc=floored, **known)


def _images_asked(paired: PairedAnswers) -> NDArray[np.int64]:
    answers = paired.answers
    images = paired.challenges.images[answers.challenge]
    count = max(1, paired.challenges.image_count)
    pairs = np.unique(answers.owner.astype(np.int64) * count + images)
    return np.bincount(pairs // count, minlength=answers.count)


def _intervals(judged: PairedComparisons, name: str) -> list[Interval | None]:
    ends = centred_intervals(judged.points[name], judged.draws[name], judged.level)
    return [
        (float(low), float(high)) if enough else None
        for (low, high), enough in zip(ends, judged.enough(name), strict=True)
    ]


def _notes(tables: Floats, images: int, asked: int) -> list[str]:
    """What makes a number mean less than it seems, with the n that is missing."""
    n = int(tables[_THEIRS].sum())
    if not n:
        return [f"answered 0 of the {asked} challenges that it was asked"] if asked else []
    labels, notes = tables[_THEIRS].sum(axis=1), []
    if images < MIN_IMAGES:
        notes.append(f"{images} source images answered, {MIN_IMAGES} needed for an interval")
    if not labels.all():
        label = int(labels.argmax())
        why = "MCC and AUC are 0 by definition"
        return [*notes, f"all {n} labels are {label}, 0 are {1 - label}: {why}"]
    for side, whose in ((_THEIRS, "its"), (_OURS, "the candidate's")):
        classes = tables[side].sum(axis=0)
        if np.count_nonzero(classes) == 1:
            only = ("0", "1", "neither 0 nor 1")[int(classes.argmax())]
            notes.append(f"all {n} of {whose} answers are class {only}: MCC is 0 by definition")
    return notes
