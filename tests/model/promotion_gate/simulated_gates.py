"""Simulated gates: answers of a champion and of challengers whose abilities are known."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics.comparison.paired_answers import Answers, Challenges
from analytics.scoring.metrics import Floats
from model.promotion_gate.evidence import Evidence, gate_set
from model.promotion_gate.guarded_slices import Membership
from model.promotion_gate.settings import CITY, ERA, LABEL, LEVEL, NULL_PATTERN

CHAMPION = 1.9
"""Ability of the champion: an accuracy of 89%."""

BETTER = 2.036
"""Ability that earns 0.05 more reward in a `GateWorld`; `test_gate_rates` measures it."""


@dataclass(frozen=True)
class GateWorld:
    """Size of a simulated gate.

    A model answers 1 where its ability x (+1 or -1 by label) + the image's difficulty, which all
    models share, + a liking of its own for the image + noise is above 0 (standard deviations 1, 1
    and 0.5). Each image is sent `sent` times on average, each time to `asked` of the `miners`.
    """

    images: int = 400
    sent: float = 1.3
    miners: int = 6
    asked: int = 3
    logged: bool = True


@dataclass(frozen=True)
class Log:
    """A log: challenges without answers, and what all models find hard about each image."""

    challenges: Challenges
    difficulty: Floats
    places: Answers | None


def a_log(world: GateWorld, seed: int) -> Log:
    rng = np.random.default_rng([seed, 1])
    labels = rng.integers(0, 2, world.images).astype(np.int8)
    # every image once, and some more often
    again = rng.integers(0, world.images, round(world.images * (world.sent - 1)))
    images = rng.permutation(np.concatenate([np.arange(world.images), again])).astype(np.int32)
    count = len(images)
    challenges = Challenges(
        labels[images],
        images,
        np.full(count, 3, np.int8),
        np.arange(count + 1, dtype=np.int64),
        np.zeros(count),
        np.ones(count),
        np.zeros(count, np.int32),
    )
    places = None
    if world.logged:
        order = rng.random((count, world.miners)).argsort(axis=1) < world.asked
        owner, challenge = np.nonzero(order.T)
        places = Answers(
            np.searchsorted(owner, np.arange(world.miners + 1)).astype(np.int64),
            challenge.astype(np.int32),
            np.zeros(len(owner), np.int32),
            rng.random(len(owner)),
        )
    return Log(challenges, rng.normal(size=world.images), places)


def answers(log: Log, ability: float, seed: int) -> Challenges:
    """The log's challenges with the answers of a model of that ability, drawn by the seed."""
    rng = np.random.default_rng([seed, 2])
    challenges, images = log.challenges, log.challenges.images
    liking = rng.normal(size=len(log.difficulty))
    signal = ability * (2.0 * challenges.labels - 1) + (log.difficulty + liking)[images]
    answered = signal + 0.5 * rng.normal(size=challenges.count) > 0
    return replace(challenges, probabilities=np.where(answered, 0.75, 0.25))


def evidence_of(log: Log, champion: Challenges, challenger: Challenges, **changes: Any) -> Evidence:
    """Evidence with slices of every guarded field, that no answer depends on."""
    count = log.challenges.count
    number, images = np.arange(count), log.challenges.images
    slices = [Membership(ERA, "E7", np.ones(count, np.bool_))]
    slices += [Membership(CITY, f"city {k}", images % 6 == k) for k in range(6)]
    slices += [Membership(LEVEL, f"level {k}", number % 4 == k) for k in range(4)]
    slices += [Membership(LABEL, f"{k}", log.challenges.labels == k) for k in range(2)]
    slices += [Membership(NULL_PATTERN, f"{k}", images % 2 == k) for k in range(2)]
    fields: dict[str, Any] = {
        "champion": champion,
        "challenger": challenger,
        "places": log.places,
        "slices": slices,
        "gate_set": gate_set(map(str, number), map(str, images)),
        "champion_id": "champion",
        "challenger_id": "challenger",
    }
    return Evidence(**fields | changes)


def a_gate(
    seed: int, ability: float = CHAMPION, world: GateWorld = GateWorld(), **changes: Any
) -> Evidence:
    """A gate of a champion and a challenger of that ability in a log of its own."""
    log = a_log(world, seed)
    own, other = answers(log, CHAMPION, 2 * seed), answers(log, ability, 2 * seed + 1)
    return evidence_of(log, own, other, **changes)
