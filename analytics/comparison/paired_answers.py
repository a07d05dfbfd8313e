"""The answers of a candidate and of miners to the same challenges, as flat arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.scoring.metrics import UNANSWERED, Floats
from analytics.scoring.predicted_class import CLASS_THRESHOLD, predicted_class

Integers = NDArray[np.int32]
Flags = NDArray[np.bool_]

MINER, CANDIDATE = 0, 1
"""Indices of the two sides of a paired comparison."""


@dataclass(frozen=True)
class Challenges:
    """C challenges in order of validators' lives, and the candidate's answer to each variant.

    A variant is one possible image of a challenge; levels 0 and 1 have one.

    Attributes:
        labels: (C,), 0 or 1.
        images: (C,), the number of each challenge's source image, 0 to `image_count` - 1.
        exponents: (C,), of the reward formula, by era.
        starts: (C + 1,), where each challenge's variants start among `probabilities`.
        probabilities: (V,), the candidate's answer to each variant, 0..1.
        weights: (V,), the variants' probabilities, which sum to 1 over a challenge.
        lives: (C,), the number of the validator's life that each belongs to; challenges of one
            life are consecutive. Windows and moving averages begin anew with each.
    """

    labels: NDArray[np.int8]
    images: Integers
    exponents: NDArray[np.int8]
    starts: NDArray[np.int64]
    probabilities: Floats
    weights: Floats
    lives: Integers

    @property
    def count(self) -> int:
        """Number of challenges."""
        return len(self.labels)

    @property
    def image_count(self) -> int:
        """Number of source images."""
        return int(self.images.max(initial=-1)) + 1

    @property
    def images_known(self) -> bool:
        """Whether every challenge has one variant, so that none has to be sampled."""
        return len(self.probabilities) == self.count

    def earlier(self, share: float) -> Flags:
        """(C,), True for the first `share`, 0..1, of each life's challenges."""
        _, life, counts = np.unique(self.lives, return_inverse=True, return_counts=True)
        ordinal = np.arange(self.count) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(ordinal < np.round(share * counts)[life])

    def positive_shares(self, threshold: float = CLASS_THRESHOLD) -> Floats:
        """(C,), the probability 0..1 that the candidate's answer is above `threshold`.

        0 or 1 where there is one variant; else the summed weights of the variants above it.
        """
        above = np.where(self.probabilities > threshold, self.weights, 0.0)
        # clipped, as weights such as 1/243 add up to 1 only nearly
        return np.clip(np.add.reduceat(above, self.starts[:-1]), 0.0, 1.0) if self.count else above


@dataclass(frozen=True)
class Answers:
    """Answers of M answerers (miners, or ensembles of them), by answerer, then in order.

    Attributes:
        starts: (M + 1,), where each answerer's answers start.
        challenge: (A,), the challenge's index among the `Challenges`.
        spell: (A,), a new number starts a new history: the hotkey was replaced and came back. A
            new life does so too, see `Challenges.lives`.
        prediction: (A,), as answered: -1 = no answer, NaN = not finite; may lie outside 0..1.
    """

    starts: NDArray[np.int64]
    challenge: Integers
    spell: Integers
    prediction: Floats

    @property
    def count(self) -> int:
        """Number of answerers."""
        return len(self.starts) - 1

    @property
    def owner(self) -> Integers:
        """(A,), the index of each answer's answerer."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.starts))

    @property
    def answered(self) -> Flags:
        """(A,), whether metrics can use an answer: it is neither -1 nor NaN."""
        usable: Flags = (self.prediction != UNANSWERED) & np.isfinite(self.prediction)
        return usable

    @property
    def classes(self) -> Floats:
        """(A,), the class of each answer by the validator's rounding; only 0 and 1 can be right."""
        return predicted_class(self.prediction)

    def of(self, answerer: int) -> "Answers":
        """The answers of one answerer, by its index."""
        own = slice(self.starts[answerer], self.starts[answerer + 1])
        return Answers(
            np.array([0, own.stop - own.start], np.int64),
            self.challenge[own],
            self.spell[own],
            self.prediction[own],
        )

    def pooled(self) -> "Answers":
        """All answers as those of a single answerer: good for counts, its windows mean nothing."""
        bounds = np.array([0, len(self.prediction)], np.int64)
        return Answers(bounds, self.challenge, self.spell, self.prediction)

    def only(self, kept: Flags) -> "Answers":
        """The answers where `kept`, (A,), is True; of all answerers, in the same order."""
        before = np.concatenate([[0], np.cumsum(kept)])
        return Answers(
            before[self.starts],
            self.challenge[kept],
            self.spell[kept],
            self.prediction[kept],
        )


@dataclass(frozen=True)
class PairedAnswers:
    """Answers of miners and of a candidate to the same challenges."""

    challenges: Challenges
    answers: Answers

    def within(self, kept: Flags) -> "PairedAnswers":
        """The answers to challenges where `kept`, (C,), is True; indices keep their meaning."""
        return PairedAnswers(self.challenges, self.answers.only(kept[self.answers.challenge]))


def by_life(paired: PairedAnswers) -> tuple[Answers, list[int], list[int]]:
    """Answers split by life: one answerer for each pair of answerer and life.

    Returns:
        The split answers; of each new answerer the index of the old one, and the life's number.
    """
    answers = paired.answers
    owner, life = answers.owner, paired.challenges.lives[answers.challenge]
    begins = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(life, prepend=-1) != 0))
    starts = np.append(begins, len(owner)).astype(np.int64)
    parts = Answers(starts, answers.challenge, answers.spell, answers.prediction)
    return parts, owner[begins].tolist(), life[begins].tolist()


def concatenated(parts: list[Answers]) -> Answers:
    """The answerers of all parts, one after the other."""
    sizes = [np.diff(part.starts) for part in parts]
    return Answers(
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64),
        np.concatenate([part.challenge for part in parts]),
        np.concatenate([part.spell for part in parts]),
        np.concatenate([part.prediction for part in parts]),
    )


def without_miners(challenges: Challenges) -> PairedAnswers:
    """The candidate asked every challenge once, beside a placeholder that answers 0 to each."""
    indices = np.arange(challenges.count, dtype=np.int32)
    return PairedAnswers(challenges, single_answerer(indices, np.zeros(len(indices))))


def single_answerer(challenge: Integers, prediction: Floats) -> Answers:
    """Answers of one answerer under one hotkey: challenges in order, and its answers, both (n,)."""
    return Answers(
        np.array([0, len(challenge)], np.int64),
        challenge.astype(np.int32),
        np.zeros(len(challenge), np.int32),
        prediction.astype(np.float64),
    )
