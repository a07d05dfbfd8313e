"""AUC of answers that count more than once, or less: drawn challenges, possible images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

MINER, CANDIDATE = 0, 1


@dataclass(frozen=True)
class RankedAnswers:
    """Answers of one side sorted by value; all of shape (n,).

    `begins_tie` is True where the value differs from the one before it.
    """

    begins_tie: NDArray[np.bool_]
    labels: NDArray[np.int8]
    images: Integers
    weights: Floats

    def auc(self, repeats: NDArray[np.uint8]) -> float:
        """Area under the ROC curve, 0..1, with each image as often as drawn; 0 for one label only.

        Of possible images it is the expected AUC over them, exactly: it averages over pairs of
        challenges, whose images are drawn apart.

        Args:
            repeats: (I,), by number of image.
        """
        return _auc(self.begins_tie, self.labels, self.images, self.weights, repeats)


def ranked_answers(paired: PairedAnswers) -> Iterator[tuple[RankedAnswers, RankedAnswers]]:
    """Of every answerer its own answers and the candidate's, on the challenges that it answered."""
    challenges, answers = paired.challenges, paired.answers
    used = answers.answered
    sizes = np.diff(challenges.starts)
    for one in range(answers.count):
        part = slice(answers.starts[one], answers.starts[one + 1])
        challenge = answers.challenge[part][used[part]]
        own = _ranked(paired, answers.prediction[part][used[part]], challenge, None)
        times = sizes[challenge]
        first = np.repeat(challenges.starts[challenge] - (np.cumsum(times) - times), times)
        of_image = first + np.arange(len(first))
        yield (
            own,
            _ranked(
                paired,
                challenges.probabilities[of_image],
                np.repeat(challenge, times),
                challenges.weights[of_image],
            ),
        )


def _ranked(
    paired: PairedAnswers, values: Floats, challenge: Integers, weights: Floats | None
) -> RankedAnswers:
    order = np.argsort(values)
    sent = challenge[order]
    return RankedAnswers(
        np.diff(values[order], prepend=-np.inf) > 0,
        paired.challenges.labels[sent],
        paired.challenges.images[sent],
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
    for at in range(len(labels)):
        if begins_tie[at]:
            ordered += tied_positives * (negatives + tied_negatives / 2)
            negatives, positives = negatives + tied_negatives, positives + tied_positives
            tied_negatives, tied_positives = 0.0, 0.0
        weight = weights[at] * repeats[images[at]]
        if labels[at] == 1:
            tied_positives += weight
        else:
            tied_negatives += weight
    ordered += tied_positives * (negatives + tied_negatives / 2)
    pairs = (negatives + tied_negatives) * (positives + tied_positives)
    return ordered / pairs if pairs > 0 else 0.0
