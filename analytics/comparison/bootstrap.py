"""Paired cluster bootstrap over source images: challenges of one image are not independent.

Each draw resamples as many images as there are, with replacement (Efron and Tibshirani 1993, ch.
8), and every miner is compared on the same draws, so that their intervals can be read together.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.answer_codes import answer_codes, candidate_codes
from analytics.comparison.image_confusion import ImageConfusion
from analytics.comparison.paired_answers import Challenges, PairedAnswers
from analytics.comparison.paired_rewards import paired_rewards
from analytics.comparison.weighted_auc import ranked_answers
from analytics.scoring.metrics import Floats, accuracy_of_tables, mcc_of_tables
from analytics.scoring.tracker import ScoringSettings
from data.machine.processes import cores

MIN_IMAGES = 10
"""Source images that an interval needs at least."""

_AUC_DRAWS = 250
"""Draws of a block: 250 bytes a source image."""

Task = TypeVar("Task")
Result = TypeVar("Result")

Scores = dict[str, Floats]
"""Values by statistic: accuracy, mcc (signed), reward, ema, mean_ema, and auc where asked for."""


@dataclass(frozen=True)
class BootstrapSettings:
    """Number of bootstrap draws, level of the intervals, and the draws' seed.

    A point estimate of rewards is the mean over `variant_draws`, each of which samples a variant
    (possible image) of every challenge. `auc` asks for intervals of AUC too. `threads` changes the
    time, never a number.
    """

    draws: int = 1000
    level: float = 0.95
    seed: int = 0
    variant_draws: int = 16
    auc: bool = False
    threads: int = field(default_factory=cores)


def image_repeats(count: int, settings: BootstrapSettings, draw: int) -> NDArray[np.uint8]:
    """(count,), how often each source image is in a draw, which its number and the seed decide."""
    resample = _generator(settings, draw).integers(0, count, count)
    return np.bincount(resample, minlength=count).astype(np.uint8)


def variant_draws(challenges: Challenges, settings: BootstrapSettings) -> int:
    """How many draws of variants a mean takes: 1 where every challenge has a single variant."""
    return 1 if challenges.images_known else settings.variant_draws


def variant_uniforms(count: int, settings: BootstrapSettings, draw: int) -> Floats:
    """(count,), uniform in 0..1: decides which variant each challenge has in a draw."""
    return _generator(settings, draw).spawn(1)[0].random(count)


def point_scores(
    paired: PairedAnswers,
    counts: ImageConfusion,
    settings: BootstrapSettings = BootstrapSettings(),
    scoring: ScoringSettings = ScoringSettings(),
) -> Scores:
    """Point estimates, on the challenges as they were sent: (M, 2: miner, candidate) each."""
    challenges = paired.challenges
    positive_shares, codes = challenges.positive_shares(), answer_codes(challenges, paired.answers)
    once = np.ones(challenges.count, np.uint8)

    def rewards(draw: int) -> Floats:
        uniforms = variant_uniforms(challenges.count, settings, draw)
        candidate = candidate_codes(challenges, positive_shares, uniforms)
        scored = paired_rewards(challenges, paired.answers, codes, candidate, once, scoring)
        return np.stack([scored.reward, scored.ema, scored.mean_ema])

    draws = range(variant_draws(challenges, settings))
    means = np.mean(in_threads(rewards, draws, settings.threads), axis=0)
    images = np.ones(challenges.image_count, np.uint8)
    aucs = [[side.auc(images) for side in sides] for sides in ranked_answers(paired)]
    return _of_tables(counts.summed(images)) | {
        "reward": means[0],
        "ema": means[1],
        "mean_ema": means[2],
        "auc": np.array(aucs).reshape(-1, 2),
    }


def bootstrap_scores(
    paired: PairedAnswers,
    counts: ImageConfusion,
    settings: BootstrapSettings = BootstrapSettings(),
    scoring: ScoringSettings = ScoringSettings(),
    on_progress: Callable[[int], None] = lambda _: None,
) -> Scores:
    """The scores of every bootstrap draw: (draws, M, 2: miner, candidate) each.

    Args:
        paired: answers of miners and of the candidate.
        counts: confusion counts of the same answers.
        settings: of the draws.
        scoring: windows and EMA.
        on_progress: called with the number of draws done since the last call.
    """
    challenges = paired.challenges
    positive_shares, codes = challenges.positive_shares(), answer_codes(challenges, paired.answers)

    def scores(draw: int) -> Scores:
        repeats = image_repeats(challenges.image_count, settings, draw)
        uniforms = variant_uniforms(challenges.count, settings, draw)
        candidate = candidate_codes(challenges, positive_shares, uniforms)
        repeated = repeats[challenges.images]
        scored = paired_rewards(challenges, paired.answers, codes, candidate, repeated, scoring)
        on_progress(1)
        return _of_tables(counts.summed(repeats)) | vars(scored)

    draws = in_threads(scores, range(settings.draws), settings.threads)
    stacked = {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}
    return stacked | ({"auc": _bootstrap_auc(paired, settings)} if settings.auc else {})


def _of_tables(tables: Floats) -> Scores:
    return {"accuracy": accuracy_of_tables(tables), "mcc": mcc_of_tables(tables)}


def _bootstrap_auc(paired: PairedAnswers, settings: BootstrapSettings) -> Floats:
    """(draws, M, 2). Each answerer is sorted once for a block of draws that are held together."""
    count = paired.challenges.image_count
    aucs = np.empty((settings.draws, paired.answers.count, 2))
    for first in range(0, settings.draws, _AUC_DRAWS):
        block = slice(first, min(first + _AUC_DRAWS, settings.draws))
        repeats = [image_repeats(count, settings, draw) for draw in range(block.start, block.stop)]
        for answerer, sides in enumerate(ranked_answers(paired)):
            for side, ranked in enumerate(sides):
                aucs[block, answerer, side] = in_threads(ranked.auc, repeats, settings.threads)
    return aucs


def _generator(settings: BootstrapSettings, draw: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, draw])


def in_threads(work: Callable[[Task], Result], tasks: Iterable[Task], threads: int) -> list[Result]:
    """The result of every task in their order; compiled work shares the processors."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, tasks))
