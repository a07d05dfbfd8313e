"""Worlds of answers whose truth is known: how often each answerer is right, by a formula."""

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
    """Source images, challenges on them, miners, how many are asked each time, and the seed.

    An answer is of class 1 where `ability` x (+1 or -1 by label) + the image's difficulty (of
    standard deviation `difficulty`, the same for everyone) + noise of 1 is above 0. With `variants`
    the candidate has that many possible images a challenge, each with noise of its own.
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
    """What was answered, and the MCC that each would have on endlessly many images."""

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

    def answers(ability: float, sent: Integers) -> Floats:
        signal = ability * (2 * labels[sent] - 1) + difficulty[sent]
        return np.asarray(stats.norm.cdf(signal + rng.normal(size=len(sent))))

    every = np.repeat(images, settings.variants)
    challenges = Challenges(
        labels[images].astype(np.int8),
        images,
        np.full(settings.challenges, 3, np.int8),
        np.arange(settings.challenges + 1) * settings.variants,
        answers(abilities[0], every),
        np.full(len(every), 1 / settings.variants),
        np.zeros(settings.challenges, np.int32),
    )
    asked = rng.random((settings.challenges, settings.miners)).argsort(axis=1) < settings.asked
    miners: list[Answers] = []
    for miner in range(settings.miners):
        sent = np.flatnonzero(asked[:, miner]).astype(np.int32)
        miners.append(single_answerer(sent, answers(abilities[miner + 1], images[sent])))
    truth = _mcc(abilities, settings.difficulty)
    return World(PairedAnswers(challenges, concatenated(miners)), float(truth[0]), truth[1:])


def _mcc(abilities: Floats, difficulty: float) -> Floats:
    """Of balanced labels with as many misses as false alarms: twice the accuracy, minus 1."""
    return np.asarray(2 * stats.norm.cdf(abilities / np.sqrt(1 + difficulty**2)) - 1)
