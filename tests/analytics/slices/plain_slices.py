"""Slices one by one, through the paired rewards of each slice's own sequence: the plain way.

Each slice has its own pass over all answers for every draw.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.answer_codes import answer_codes, candidate_codes
from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    image_repeats,
    in_threads,
    variant_draws,
    variant_uniforms,
)
from analytics.comparison.image_confusion import ImageConfusion, image_confusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import CANDIDATE, MINER, Answers, Flags, PairedAnswers
from analytics.comparison.paired_rewards import paired_rewards
from analytics.scoring.metrics import Floats, accuracy_of_tables, mcc_of_tables
from analytics.slices.scores import Slice, SliceSettings
from tests.analytics.slices.flagged import Flagged


def plain_slices(
    paired: PairedAnswers, parts: Sequence[Flagged], settings: SliceSettings
) -> list[Slice]:
    """Every slice that miners answered, in the order of `slices`."""
    every = [_slice(paired, part, settings) for part in parts]
    answered = [part for part in every if part is not None]
    return sorted(answered, key=lambda part: (part.small, -part.cost, part.field, part.value))


def _slice(paired: PairedAnswers, membership: Flagged, settings: SliceSettings) -> Slice | None:
    part = paired.within(membership.members)
    pooled = PairedAnswers(part.challenges, part.answers.pooled())
    counts = image_confusion(pooled, part.challenges.positive_shares())
    table = counts.summed()[0]  # (2 sides, 2 labels, 3 classes)
    n, images = int(table[MINER].sum()), int(counts.image_counts[0])
    if not n:
        return None
    small = n < settings.least_answers or images < MIN_IMAGES
    accuracy, mcc = accuracy_of_tables(table), mcc_of_tables(table)
    image_count = part.challenges.image_count
    draws = None if small else _bootstrap_tables(counts, image_count, settings.bootstrap)
    both_labels = bool((table[MINER].sum(axis=1) > 0).all())
    mcc_draws = draws if both_labels else None
    cost = _mean_cost(paired, membership.members, settings.bootstrap)
    return Slice(
        field=membership.field,
        value=membership.value,
        n=n,
        challenges=len(np.unique(part.answers.challenge)),
        images=images,
        accuracy=float(accuracy[CANDIDATE]),
        miners_accuracy=float(accuracy[MINER]),
        own_accuracy_interval=_own_interval(accuracy, draws, accuracy_of_tables, settings),
        accuracy_interval=_interval(accuracy, draws, accuracy_of_tables, settings),
        mcc=float(mcc[CANDIDATE]) if both_labels else None,
        miners_mcc=float(mcc[MINER]) if both_labels else None,
        own_mcc_interval=_own_interval(mcc, mcc_draws, mcc_of_tables, settings),
        mcc_interval=_interval(mcc, mcc_draws, mcc_of_tables, settings),
        cost=cost,
        cost_interval=None if small else _cost_interval(paired, membership, cost, settings),
        small=small,
    )


def _bootstrap_tables(counts: ImageConfusion, images: int, settings: BootstrapSettings) -> Floats:
    """Confusion tables of every draw, (draws, 2 sides, 2 labels, 3 classes)."""

    def table(draw: int) -> Floats:
        tables: Floats = counts.summed(image_repeats(images, settings, draw))[0]
        return tables

    return np.stack(in_threads(table, range(settings.draws), settings.threads))


def _interval(
    points: Floats,
    draws: Floats | None,
    statistic: Callable[[Floats], Floats],
    settings: SliceSettings,
) -> Interval | None:
    """Interval of the difference candidate minus miners.

    `points` (2 sides,), `draws` confusion tables.
    """
    if draws is None:
        return None
    values = statistic(draws)
    differences = (values[:, CANDIDATE] - values[:, MINER])[:, None]
    point = np.array([points[CANDIDATE] - points[MINER]])
    return _centred_interval(point, differences, settings)


def _own_interval(
    points: Floats,
    draws: Floats | None,
    statistic: Callable[[Floats], Floats],
    settings: SliceSettings,
) -> Interval | None:
    """Interval of the candidate's own; arguments as of `_interval`."""
    if draws is None:
        return None
    own = statistic(draws)[:, CANDIDATE, None]
    return _centred_interval(points[CANDIDATE, None], own, settings)


def _cost_interval(
    paired: PairedAnswers, membership: Flagged, cost: float, settings: SliceSettings
) -> Interval:
    bootstrap, challenges = settings.bootstrap, paired.challenges

    def cost_of_draw(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, bootstrap, draw)[challenges.images]
        return _cost(paired, membership.members, repeats, bootstrap, draw)

    draws = in_threads(cost_of_draw, range(settings.cost_draws), bootstrap.threads)
    return _centred_interval(np.array([cost]), np.array(draws)[:, None], settings)


def _centred_interval(point: Floats, draws: Floats, settings: SliceSettings) -> Interval:
    low, high = centred_intervals(point, draws, settings.bootstrap.level)[0]
    return float(low), float(high)


def _mean_cost(paired: PairedAnswers, members: Flags, settings: BootstrapSettings) -> float:
    """The cost on the challenges as they were sent: the mean over draws of variants."""
    once = np.ones(paired.challenges.count, np.uint8)

    def cost(draw: int) -> float:
        return _cost(paired, members, once, settings, draw)

    draws = range(variant_draws(paired.challenges, settings))
    return float(np.mean(in_threads(cost, draws, settings.threads)))


def _cost(
    paired: PairedAnswers,
    members: Flags,
    repeats: NDArray[np.uint8],
    settings: BootstrapSettings,
    draw: int,
) -> float:
    """Mean reward of the miners' answers in a slice and the candidate's elsewhere, minus the mean
    reward of the candidate's answers everywhere."""
    challenges, answers = paired.challenges, paired.answers
    uniforms = variant_uniforms(challenges.count, settings, draw)
    positive_shares = challenges.positive_shares()
    candidate = candidate_codes(challenges, positive_shares, uniforms)
    candidate_class = (uniforms < positive_shares).astype(np.float64)[answers.challenge]
    mixed = Answers(
        answers.starts,
        answers.challenge,
        answers.spell,
        np.where(members[answers.challenge], answers.prediction, candidate_class),
    )
    codes = answer_codes(challenges, mixed)
    scored = paired_rewards(challenges, mixed, codes, candidate, repeats)
    asked = np.bincount(answers.owner, repeats[answers.challenge], answers.count)
    sums = scored.reward * asked[:, None]
    return float((sums[:, MINER] - sums[:, CANDIDATE]).sum() / max(1.0, asked.sum()))
