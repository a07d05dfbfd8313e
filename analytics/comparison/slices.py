"""A candidate against all miners together, by slice, and what each slice costs it in reward.

A slice is a set of challenges, such as those at dusk. The miners' answers to its challenges are
pooled, and each is paired with the candidate's answer to the same challenge.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class SliceSettings:
    """The bootstrap, its fewer `cost_draws` for costs, which score every answer, and size limits.

    A slice of fewer than `least_answers` answers, or of fewer than 10 source images, is small: it
    gets no interval and is listed last. Of a field with more than `most_values` values, those with
    at least 10 challenges become slices, and of these only the `most_values` largest.
    """

    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    cost_draws: int = 100
    least_answers: int = 30
    most_values: int = 100


@dataclass(frozen=True)
class Slice:
    """One slice: `n` answers of miners to `challenges` challenges of `images` source images.

    `accuracy` 0..1 and signed `mcc` -1..1 are the candidate's, `miners_*` those of the pooled
    miners on the same challenges (each counts as often as it was answered); `own_*` intervals are
    the candidate's alone, the others of the difference, candidate minus miners, over source images.
    `cost` is how much more mean reward, 0..1, over the whole log the candidate would earn had it
    answered this slice as the miners did: above 0 where it loses. Intervals are None where the
    slice is too `small`, MCC where it holds one label only.
    """

    field: str
    value: str
    n: int
    challenges: int
    images: int
    accuracy: float
    miners_accuracy: float
    own_accuracy_interval: Interval | None
    accuracy_interval: Interval | None
    mcc: float | None
    miners_mcc: float | None
    own_mcc_interval: Interval | None
    mcc_interval: Interval | None
    cost: float
    cost_interval: Interval | None
    small: bool


@dataclass(frozen=True)
class Membership:
    """A field's value, and its `members`: (C,), True for the challenges that have it."""

    field: str
    value: str
    members: Flags


def slices(
    paired: PairedAnswers,
    memberships: Iterable[Membership],
    settings: SliceSettings = SliceSettings(),
) -> list[Slice]:
    """Every slice that miners answered: those that cost the candidate most first, small ones last.

    Args:
        paired: answers of miners and of the candidate.
        memberships: of the slices; an iterator is read one slice at a time.
        settings: bootstrap and size limits.
    """
    every = [_slice(paired, membership, settings) for membership in memberships]
    answered = [part for part in every if part is not None]
    return sorted(answered, key=lambda part: (part.small, -part.cost, part.field, part.value))


def _slice(paired: PairedAnswers, membership: Membership, settings: SliceSettings) -> Slice | None:
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
    paired: PairedAnswers, membership: Membership, cost: float, settings: SliceSettings
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
