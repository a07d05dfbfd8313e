"""A candidate beside all miners together, slice by slice, and what a slice costs it in reward.

A slice is a set of challenges, such as those at dusk. All answers of miners to its challenges count
together, each beside the candidate's to the same challenge.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
from analytics.comparison.paired_answers import Answers, Flags, PairedAnswers
from analytics.comparison.paired_rewards import answer_codes, candidate_codes, paired_rewards
from analytics.scoring.metrics import Floats, accuracy_of_tables, mcc_of_tables

_THEIRS, _OURS = 0, 1


@dataclass(frozen=True)
class SliceSettings:
    """The bootstrap; `cost_draws` of it for costs, which walk every answer; and what is too small.

    A slice of fewer than `least_answers` answers, or of fewer than 10 source images, gets no
    interval and no place among those that cost most. A field with more than `most_values` values
    has no slices of values with fewer challenges than 10, and of the others the largest so many.
    """

    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    cost_draws: int = 100
    least_answers: int = 30
    most_values: int = 100


@dataclass(frozen=True)
class Slice:
    """One slice: `n` answers of miners to `challenges` of `images` source images.

    `accuracy` 0..1 and signed `mcc` -1..1, the candidate's and the miners' on the same answers (a
    challenge counts as often as it was answered); differences are candidate minus miners, with
    intervals over source images. `cost` is how much more mean reward, 0..1, the candidate would get
    in the miners' places over the whole log, had it answered this slice as they did: above 0 where
    it loses. Intervals are None where the slice is too `small`, MCC where it holds one label only.
    """

    field: str
    value: str
    n: int
    challenges: int
    images: int
    accuracy: float
    miners_accuracy: float
    accuracy_interval: Interval | None
    mcc: float | None
    miners_mcc: float | None
    mcc_interval: Interval | None
    cost: float
    cost_interval: Interval | None
    small: bool


@dataclass(frozen=True)
class Membership:
    """A field's value, and which challenges, (C,) flags, have it."""

    field: str
    value: str
    challenges: Flags


def slices(
    paired: PairedAnswers,
    memberships: Iterable[Membership],
    settings: SliceSettings = SliceSettings(),
) -> list[Slice]:
    """Every slice that miners answered, those that cost the candidate most first, small ones last.

    Args:
        paired: the candidate beside all miners.
        memberships: the slices, taken one at a time.
        settings: draws, and how small is too small.
    """
    found = [_slice(paired, one, settings) for one in memberships]
    answered = [one for one in found if one is not None]
    return sorted(answered, key=lambda one: (one.small, -one.cost, one.field, one.value))


def _slice(paired: PairedAnswers, membership: Membership, settings: SliceSettings) -> Slice | None:
    part = paired.within(membership.challenges)
    pooled = PairedAnswers(part.challenges, _as_one(part.answers))
    counts = image_confusion(pooled, part.challenges.positive_shares())
    table = counts.summed()[0]  # (2 sides, 2 labels, 3 classes)
    n, images = int(table[_THEIRS].sum()), int(counts.image_counts[0])
    if not n:
        return None
    small = n < settings.least_answers or images < MIN_IMAGES
    accuracy, mcc = accuracy_of_tables(table), mcc_of_tables(table)
    both_labels = bool((table[_THEIRS].sum(axis=1) > 0).all())
    drawn = (
        None if small else _drawn_tables(counts, part.challenges.image_count, settings.bootstrap)
    )
    cost = _mean_cost(paired, membership.challenges, settings.bootstrap)
    return Slice(
        field=membership.field,
        value=membership.value,
        n=n,
        challenges=len(np.unique(part.answers.challenge)),
        images=images,
        accuracy=float(accuracy[_OURS]),
        miners_accuracy=float(accuracy[_THEIRS]),
        accuracy_interval=_interval(accuracy, drawn, accuracy_of_tables, settings),
        mcc=float(mcc[_OURS]) if both_labels else None,
        miners_mcc=float(mcc[_THEIRS]) if both_labels else None,
        mcc_interval=_interval(mcc, drawn, mcc_of_tables, settings) if both_labels else None,
        cost=cost,
        cost_interval=None if small else _cost_interval(paired, membership, cost, settings),
        small=small,
    )


def _as_one(answers: Answers) -> Answers:
    """All miners as a single answerer, for counts only: its windows would mean nothing."""
    bounds = np.array([0, len(answers.prediction)], np.int64)
    return Answers(bounds, answers.challenge, answers.spell, answers.prediction)


def _drawn_tables(counts: ImageConfusion, images: int, settings: BootstrapSettings) -> Floats:
    """(draws, 2 sides, 2 labels, 3 classes)."""

    def table(draw: int) -> Floats:
        tables: Floats = counts.summed(image_repeats(images, settings, draw))[0]
        return tables

    return np.stack(in_threads(table, range(settings.draws), settings.threads))


def _interval(
    found: Floats,
    drawn: Floats | None,
    statistic: Callable[[Floats], Floats],
    settings: SliceSettings,
) -> Interval | None:
    """Of the difference, candidate minus miners; `found` is of both sides."""
    if drawn is None:
        return None
    draws = statistic(drawn)
    differences = (draws[:, _OURS] - draws[:, _THEIRS])[:, None]
    point = np.array([found[_OURS] - found[_THEIRS]])
    return _ends(point, differences, settings)


def _cost_interval(
    paired: PairedAnswers, membership: Membership, cost: float, settings: SliceSettings
) -> Interval:
    bootstrap, challenges = settings.bootstrap, paired.challenges

    def drawn(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, bootstrap, draw)[challenges.images]
        return _cost(paired, membership.challenges, repeats, bootstrap, draw)

    draws = in_threads(drawn, range(settings.cost_draws), bootstrap.threads)
    return _ends(np.array([cost]), np.array(draws)[:, None], settings)


def _ends(point: Floats, draws: Floats, settings: SliceSettings) -> Interval:
    low, high = centred_intervals(point, draws, settings.bootstrap.level)[0]
    return float(low), float(high)


def _mean_cost(paired: PairedAnswers, within: Flags, settings: BootstrapSettings) -> float:
    """On the challenges as they were sent; the mean over draws of possible images."""
    once = np.ones(paired.challenges.count, np.uint8)

    def cost(draw: int) -> float:
        return _cost(paired, within, once, settings, draw)

    draws = range(variant_draws(paired.challenges, settings))
    return float(np.mean(in_threads(cost, draws, settings.threads)))


def _cost(
    paired: PairedAnswers,
    within: Flags,
    repeats: NDArray[np.uint8],
    settings: BootstrapSettings,
    draw: int,
) -> float:
    """Mean reward of the miners' answers within a slice and the candidate's elsewhere, minus that
    of the candidate's alone."""
    challenges, answers = paired.challenges, paired.answers
    uniforms = variant_uniforms(challenges.count, settings, draw)
    positive_shares = challenges.positive_shares()
    candidate = candidate_codes(challenges, positive_shares, uniforms)
    ours = (uniforms < positive_shares).astype(np.float64)[answers.challenge]
    mixed = Answers(
        answers.starts,
        answers.challenge,
        answers.spell,
        np.where(within[answers.challenge], answers.prediction, ours),
    )
    codes = answer_codes(challenges, mixed)
    walked = paired_rewards(challenges, mixed, codes, candidate, repeats)
    sizes = np.bincount(answers.owner, repeats[answers.challenge], answers.count)
    both = walked.reward * sizes[:, None]
    return float((both[:, _THEIRS] - both[:, _OURS]).sum() / max(1.0, sizes.sum()))
