"""AUC of weighted answers: of challenges that a resample repeats, and of variants."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class RankedAnswers:
    """Answers of one side sorted by probability; all of shape (n,).

    `begins_tie` is True where the probability differs from the one before it; equal ones are tied.
    `images` are numbers of source images.
    """

    begins_tie: NDArray[np.bool_]
    labels: NDArray[np.int8]
    images: Integers
    weights: Floats

    def auc(self, repeats: NDArray[np.uint8]) -> float:
        """Area under the ROC curve, 0..1, of resampled source images; 0 for one label only.

        Over variants it is the expected AUC, exactly: it averages over pairs of challenges, whose
        variants are independent.

        Args:
            repeats: (I,), how often each source image is in the resample.
        """
        return _auc(self.begins_tie, self.labels, self.images, self.weights, repeats)


def ranked_answers(paired: PairedAnswers) -> Iterator[tuple[RankedAnswers, RankedAnswers]]:
    """Of every answerer its answers and the candidate's, to the challenges that it answered."""
    challenges, answers = paired.challenges, paired.answers
    used = answers.answered
    sizes = np.diff(challenges.starts)
    for answerer in range(answers.count):
        part = slice(answers.starts[answerer], answers.starts[answerer + 1])
        challenge = answers.challenge[part][used[part]]
        own = _ranked(paired, answers.prediction[part][used[part]], challenge, None)
        counts = sizes[challenge]
        first = np.repeat(challenges.starts[challenge] - (np.cumsum(counts) - counts), counts)
        variant = first + np.arange(len(first))
        yield (
            own,
            _ranked(
                paired,
                challenges.probabilities[variant],
                np.repeat(challenge, counts),
                challenges.weights[variant],
            ),
        )


def _ranked(
    paired: PairedAnswers, probabilities: Floats, challenge: Integers, weights: Floats | None
) -> RankedAnswers:
    order = np.argsort(probabilities)
    sorted_challenge = challenge[order]
    return RankedAnswers(
        np.diff(probabilities[order], prepend=-np.inf) > 0,
        paired.challenges.labels[sorted_challenge],
        paired.challenges.images[sorted_challenge],
        np.ones(len(order)) if weights is None else weights[order],
    )


@compiled
def _auc(
    begins_tie: NDArray[np.bool_],
    labels: NDArray[np.int8],
    images: Integers,
    weights: Floats,
    repeats: NDArray[np.uint8],
) -> float:
    negatives, positives, tied_negatives, tied_positives, ordered = 0.0, 0.0, 0.0, 0.0, 0.0
    for index in range(len(labels)):
        if begins_tie[index]:
            ordered += tied_positives * (negatives + tied_negatives / 2)
            negatives, positives = negatives + tied_negatives, positives + tied_positives
            tied_negatives, tied_positives = 0.0, 0.0
        weight = weights[index] * repeats[images[index]]
        if labels[index] == 1:
            tied_positives += weight
        else:
            tied_negatives += weight
    ordered += tied_positives * (negatives + tied_negatives / 2)
    pairs = (negatives + tied_negatives) * (positives + tied_positives)
    return ordered / pairs if pairs > 0 else 0.0
