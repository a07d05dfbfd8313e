"""Intervals and ranks hold what they promise, in worlds whose truth is known by a formula."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import centred_intervals
from analytics.comparison.rank import rank
from analytics.scoring.metrics import mcc_of_tables
from tests.analytics.comparison.simulated_answers import WorldSettings, world

DRAWS = BootstrapSettings(draws=400)


@dataclass(frozen=True)
class Coverage:
    """Shares of intervals and of ranks that hold the truth, and the mean width of ranks."""

    intervals: float
    first_miners: float
    ranks: float
    width: float


def coverage(worlds: int, settings: WorldSettings) -> Coverage:
    covered, ranked, widths = [], [], []
    for seed in range(worlds):
        made = world(replace(settings, seed=seed))
        challenges = made.paired.challenges
        counts = image_confusion(made.paired, challenges.positive_shares())
        tables = [counts.summed()] + [
            counts.summed(image_repeats(challenges.image_count, DRAWS, draw))
            for draw in range(DRAWS.draws)
        ]
        mccs = mcc_of_tables(np.stack(tables))
        differences = mccs[..., 1] - mccs[..., 0]
        low, high = centred_intervals(differences[0], differences[1:], DRAWS.level).T
        truth = made.candidate_mcc - made.miner_mccs
        covered.append((low <= truth) & (truth <= high))
        placed = rank(differences[0], differences[1:], DRAWS.level)
        ranked.append(placed.best <= made.true_rank <= placed.worst)
        widths.append(placed.worst - placed.best)
    shares = np.array(covered)
    means = (shares.mean(), shares[:, 0].mean(), np.mean(ranked), np.mean(widths))
    return Coverage(*map(float, means))


def test_intervals_and_ranks_cover_in_sixty_worlds() -> None:
    measured = coverage(60, WorldSettings(miners=8, challenges=800, asked=4))
    # 480 intervals, those of a world not independent: as of 60 worlds, 95% +- 3 standard errors
    # (binomial) would be 86.6% on; all of them together must lie within what the issue allows
    assert 0.92 <= measured.intervals <= 0.98
    assert measured.first_miners >= 0.866
    assert measured.ranks >= 0.92
    # a rank's interval that holds every rank would prove nothing
    assert measured.width < 6


@pytest.mark.slow
@pytest.mark.parametrize("variants", [1, 8])
def test_intervals_and_ranks_cover_in_four_hundred_worlds(variants: int) -> None:
    measured = coverage(400, WorldSettings(variants=variants))
    assert 0.92 <= measured.intervals <= 0.98
    assert 0.92 <= measured.first_miners <= 0.98
    assert measured.ranks >= 0.92
    assert measured.width < 12


@pytest.mark.slow
def test_without_source_images_intervals_would_not_cover() -> None:
    settings = WorldSettings(challenges=6000, miners=4, asked=4, difficulty=2.0)
    worlds = [world(replace(settings, seed=seed)) for seed in range(60)]
    covered = []
    for made in worlds:
        challenges = made.paired.challenges
        apart = replace(challenges, images=np.arange(challenges.count, dtype=np.int32))
        counts = image_confusion(replace(made.paired, challenges=apart), apart.positive_shares())
        drawn = [counts.summed(image_repeats(apart.image_count, DRAWS, k)) for k in range(200)]
        mccs = mcc_of_tables(np.stack([counts.summed(), *drawn]))
        differences = mccs[..., 1] - mccs[..., 0]
        low, high = centred_intervals(differences[0], differences[1:], DRAWS.level).T
        truth = made.candidate_mcc - made.miner_mccs
        covered.append((low <= truth) & (truth <= high))
    assert np.mean(covered) < 0.9
