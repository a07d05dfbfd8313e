"""Simulated answers of miners and a candidate, whose true MCCs follow from a formula."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analytics.comparison.paired_answers import (
    Answers,
    Challenges,
    Integers,
    PairedAnswers,
    concatenated,
    single_answerer,
)
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class WorldSettings:
    """Numbers of source images, challenges, miners, and miners `asked` in each challenge; the seed.

    An answer is of class 1 where `ability` x (+1 or -1 by label) + the image's difficulty (of
    standard deviation `difficulty`, the same for everyone) + noise of 1 is above 0. With `variants`
    the candidate has that many variants of each challenge, each with noise of its own.
    """

    images: int = 300
    challenges: int = 1500
    miners: int = 20
    asked: int = 6
    difficulty: float = 1.0
    variants: int = 1
    seed: int = 0


@dataclass(frozen=True)
class World:
    """Simulated answers, and the MCC that each answerer would have on infinitely many images."""

    paired: PairedAnswers
    candidate_mcc: float
    miner_mccs: Floats

    @property
    def true_rank(self) -> int:
        return 1 + int((self.miner_mccs > self.candidate_mcc).sum())


def world(settings: WorldSettings = WorldSettings()) -> World:
    rng = np.random.default_rng(settings.seed)
    labels = rng.integers(0, 2, settings.images)
    difficulty = rng.normal(0, settings.difficulty, settings.images)
    images = rng.integers(0, settings.images, settings.challenges).astype(np.int32)
    abilities = rng.uniform(0.2, 2.0, settings.miners + 1)

    def answers(ability: float, shown: Integers) -> Floats:
        signal = ability * (2 * labels[shown] - 1) + difficulty[shown]
        return np.asarray(stats.norm.cdf(signal + rng.normal(size=len(shown))))

    variant_images = np.repeat(images, settings.variants)
    challenges = Challenges(
        labels[images].astype(np.int8),
        images,
        np.full(settings.challenges, 3, np.int8),
        np.arange(settings.challenges + 1) * settings.variants,
        answers(abilities[0], variant_images),
        np.full(len(variant_images), 1 / settings.variants),
        np.zeros(settings.challenges, np.int32),
    )
    asked = rng.random((settings.challenges, settings.miners)).argsort(axis=1) < settings.asked
    miners: list[Answers] = []
    for miner in range(settings.miners):
        indices = np.flatnonzero(asked[:, miner]).astype(np.int32)
        predictions = answers(abilities[miner + 1], images[indices])
        miners.append(single_answerer(indices, predictions))
    mccs = _true_mccs(abilities, settings.difficulty)
    return World(PairedAnswers(challenges, concatenated(miners)), float(mccs[0]), mccs[1:])


def shifted_candidate(by: float, seed: int = 0) -> Challenges:
    """A candidate on 1,200 images whose logits are shifted by `by`, which a threshold can undo."""
    rng = np.random.default_rng(seed)
    count = 1200
    labels = rng.integers(0, 2, count).astype(np.int8)
    logits = (2 * labels - 1) * 2 + rng.normal(0, 1, count) + by
    return Challenges(
        labels,
        np.arange(count, dtype=np.int32),
        np.full(count, 3, np.int8),
        np.arange(count + 1),
        1 / (1 + np.exp(-logits)),
        np.ones(count),
        np.zeros(count, np.int32),
    )


def _true_mccs(abilities: Floats, difficulty: float) -> Floats:
    """MCC of balanced labels with as many misses as false alarms: twice the accuracy, minus 1."""
    return np.asarray(2 * stats.norm.cdf(abilities / np.sqrt(1 + difficulty**2)) - 1)
