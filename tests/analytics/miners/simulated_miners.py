"""Miners whose truth is known, answering as the item-response model says, in flat arrays."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.miners.answers import Flags, Indices, Miner, MinerAnswers
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class MinerWorld:
    """Answers and the truth behind them: `ability` a miner, `difficulty` a challenge, logits."""

    answers: MinerAnswers
    ability: Floats
    difficulty: Floats


def asked(
    rng: np.random.Generator, challenges: int, miners: int, each: int = 10
) -> tuple[Indices, Indices]:
    """Challenge and miner of each answer: `each` different miners a challenge."""
    who = np.sort(rng.random((challenges, miners)).argsort(axis=1)[:, :each], axis=1)
    return np.repeat(np.arange(challenges), each), who.ravel().astype(np.int64)


def as_answers(
    challenge: Indices,
    miner: Indices,
    prediction: Floats,
    labels: Indices,
    image: Indices | None = None,
) -> MinerAnswers:
    """Flat arrays as `miner_answers` gives them; each challenge its own image unless given."""
    images = np.arange(len(labels)) if image is None else image
    challenges = pl.DataFrame(
        {
            "challenge_id": [f"c{number}" for number in range(len(labels))],
            "label": labels,
            "life": np.zeros(len(labels), np.int32),
            "image": images,
            "source_image": [f"s:{number}" for number in images],
            "names_row": np.ones(len(labels), dtype=bool),
        }
    )
    miners = [Miner(uid, f"h{uid}") for uid in range(int(miner.max(initial=-1)) + 1)]
    return MinerAnswers(miners, challenges, miner, challenge, prediction)


def as_predictions(right: Flags, labels: Indices, rng: np.random.Generator) -> Floats:
    """Probabilities of the right or the wrong class, otherwise arbitrary; all (n,)."""
    distance = rng.uniform(0.01, 0.49, len(right))
    found: Floats = np.where(right == (labels == 1), 0.5 + distance, 0.5 - distance)
    return found


def item_response_world(
    seed: int,
    challenges: int = 6000,
    miners: int = 60,
    images: int | None = None,
    discrimination_spread: float = 0.3,
) -> MinerWorld:
    """Answers drawn from the two-parameter model itself; challenges of one image are as hard."""
    rng = np.random.default_rng(seed)
    count = images or challenges
    image = rng.integers(count, size=challenges) if images else np.arange(challenges)
    ability = rng.normal(0.0, 0.8, miners)
    difficulty = rng.normal(-2.0, 1.0, count)[image]
    slope = np.exp(rng.normal(0.0, discrimination_spread, count))[image]
    labels = rng.integers(2, size=challenges)
    challenge, miner = asked(rng, challenges, miners)
    logits = slope[challenge] * (ability[miner] - difficulty[challenge])
    right = rng.random(len(miner)) < 1 / (1 + np.exp(-logits))
    prediction = as_predictions(right, labels[challenge], rng)
    answers = as_answers(challenge, miner, prediction, labels, image)
    return MinerWorld(answers, ability - ability.mean(), difficulty - ability.mean())


def speaking_world(
    seed: int,
    challenges: int = 4000,
    miners: int = 60,
    copies: int = 0,
    jitter: float = 0.0,
    hard: int = 0,
    hard_copies: int = 0,
) -> MinerAnswers:
    """Miners who see an image through noise of their own, all the harder the harder it is.

    The first `copies` miners hear one noise and answer alike but for `jitter` (a standard
    deviation); the last `hard` answer 0 or 1, `hard_copies` of them alike.
    """
    rng = np.random.default_rng(seed)
    voice = np.arange(miners)
    voice[:copies] = 0
    voice[miners - hard_copies :] = miners - 1
    ability = rng.normal(2.5, 0.8, miners)
    difficulty = rng.normal(0.0, 1.0, challenges)
    labels = rng.integers(2, size=challenges)
    challenge, miner = asked(rng, challenges, miners)
    noise = rng.normal(0.0, 1.5, (challenges, miners))
    heard = voice[miner]
    margin = ability[heard] - difficulty[challenge] + noise[challenge, heard]
    prediction = 1 / (1 + np.exp(-np.where(labels[challenge] == 1, margin, -margin)))
    shaken = np.clip(prediction + rng.normal(0.0, jitter, len(miner)), 0, 1)
    prediction = np.where(miner < copies, shaken, prediction)
    prediction = np.where(miner >= miners - hard, np.round(prediction), prediction)
    return as_answers(challenge, miner, prediction, labels)
