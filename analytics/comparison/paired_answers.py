"""A candidate's answers and those of miners to the same challenges, as flat arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.scoring.metrics import UNANSWERED, Floats, predicted_class

Integers = NDArray[np.int32]
Flags = NDArray[np.bool_]

CLASS_THRESHOLD = 0.5
"""Answers above it round to class 1, others to class 0 (half to even)."""


@dataclass(frozen=True)
class Challenges:
    """C challenges in order of validators' lives, and the candidate's answer to each, or several.

    Attributes:
        labels: (C,), 0 or 1.
        images: (C,), the number of each one's source image, 0 to `image_count` - 1.
        exponents: (C,), of the reward, by era.
        starts: (C + 1,), where each challenge's possible images start among `probabilities`.
        probabilities: (V,), the candidate's answer to each possible image, 0..1.
        weights: (V,), the images' probabilities, which sum to 1 over a challenge.
        lives: (C,), the number of the validator's life that each belongs to; one life's challenges
            stand together. Windows and moving averages begin anew with each.
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
        """How many challenges."""
        return len(self.labels)

    @property
    def image_count(self) -> int:
        """How many source images are numbered."""
        return int(self.images.max(initial=-1)) + 1

    @property
    def images_known(self) -> bool:
        """True if every image is known, so that nothing is left to be drawn."""
        return len(self.probabilities) == self.count

    def earlier(self, share: float) -> Flags:
        """(C,), True for the first `share`, 0..1, of each life's challenges."""
        _, which, counts = np.unique(self.lives, return_inverse=True, return_counts=True)
        place = np.arange(self.count) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(place < np.round(share * counts)[which])

    def positive_shares(self, threshold: float = CLASS_THRESHOLD) -> Floats:
        """(C,), the probability 0..1 that the candidate's answer is above `threshold`.

        0 or 1 where the image is known; of levels 2 and 3 the share of the possible images.
        """
        above = np.where(self.probabilities > threshold, self.weights, 0.0)
        # clipped, as weights such as 1/243 add up to 1 only nearly
        return np.clip(np.add.reduceat(above, self.starts[:-1]), 0.0, 1.0) if self.count else above


@dataclass(frozen=True)
class Answers:
    """What M answerers (miners, or ensembles of them) were asked, by answerer, then in order.

    Attributes:
        starts: (M + 1,), where each one's answers start.
        challenge: (A,), the challenge's place among the `Challenges`.
        spell: (A,), another number starts a new history: a hotkey that was replaced and came back.
            So does another life, see `Challenges.lives`.
        prediction: (A,), as answered: -1 = no answer, NaN = not finite, others may be out of 0..1.
    """

    starts: NDArray[np.int64]
    challenge: Integers
    spell: Integers
    prediction: Floats

    @property
    def count(self) -> int:
        """How many answerers."""
        return len(self.starts) - 1

    @property
    def owner(self) -> Integers:
        """(A,), the answerer of each answer."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.starts))

    @property
    def answered(self) -> Flags:
        """(A,), whether it is an answer that metrics can use: neither -1 nor NaN."""
        usable: Flags = (self.prediction != UNANSWERED) & np.isfinite(self.prediction)
        return usable

    @property
    def classes(self) -> Floats:
        """(A,), by the validator's rounding; only 0 and 1 can be right."""
        return predicted_class(self.prediction)

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
    """Answers beside the candidate's on the same challenges: what every comparison starts from."""

    challenges: Challenges
    answers: Answers

    def within(self, kept: Flags) -> "PairedAnswers":
        """The answers to challenges where `kept`, (C,), is True; numbers keep their meaning."""
        return PairedAnswers(self.challenges, self.answers.only(kept[self.answers.challenge]))


def by_life(paired: PairedAnswers) -> tuple[Answers, list[int], list[int]]:
    """Answers with one answerer for each that a life asked; whose it is, and the life's number."""
    answers = paired.answers
    owner, life = answers.owner, paired.challenges.lives[answers.challenge]
    begins = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(life, prepend=-1) != 0))
    starts = np.append(begins, len(owner)).astype(np.int64)
    parts = Answers(starts, answers.challenge, answers.spell, answers.prediction)
    return parts, owner[begins].tolist(), life[begins].tolist()


def concatenated(parts: list[Answers]) -> Answers:
    """Several answerers of one each, or of several, one after the other."""
    sizes = [np.diff(part.starts) for part in parts]
    return Answers(
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64),
        np.concatenate([part.challenge for part in parts]),
        np.concatenate([part.spell for part in parts]),
        np.concatenate([part.prediction for part in parts]),
    )


def without_miners(challenges: Challenges) -> PairedAnswers:
    """The candidate asked each challenge, beside one answerer that stands for nobody."""
    every = np.arange(challenges.count, dtype=np.int32)
    return PairedAnswers(challenges, single_answerer(every, np.zeros(len(every))))


def single_answerer(challenge: Integers, prediction: Floats) -> Answers:
    """One answerer under one hotkey: challenges in order, and its answers, both (n,)."""
    return Answers(
        np.array([0, len(challenge)], np.int64),
        challenge.astype(np.int32),
        np.zeros(len(challenge), np.int32),
        prediction.astype(np.float64),
    )
