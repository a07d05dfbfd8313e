"""Challenger minus champion on the same challenges, as observed and over resampled source images.

Reward depends on the last 100 and the last 10 answers, so a resampled log is scored anew, through
the validator's own windows, in every miner's place (`analytics.comparison.paired_rewards`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from analytics.comparison.answer_codes import answer_codes, candidate_codes, with_outcomes_of
from analytics.comparison.bootstrap import (
    BootstrapSettings,
    image_repeats,
    in_threads,
    variant_draws,
    variant_uniforms,
)
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.paired_answers import CANDIDATE, Challenges, without_miners
from analytics.comparison.paired_rewards import paired_rewards
from analytics.comparison.slices import Membership
from analytics.scoring.metrics import Floats, mcc_of_tables
from model.promotion_gate.evidence import Evidence

_CHAMPION, _CHALLENGER = 0, 1


@dataclass(frozen=True)
class PairedDifference:
    """The scores of both, and the difference of each bootstrap draw, (draws,)."""

    champion: float
    challenger: float
    draws: Floats

    @property
    def difference(self) -> float:
        """Challenger minus champion."""
        return self.challenger - self.champion

    @property
    def error(self) -> float:
        """The standard error of the difference over source images."""
        return float(self.draws.std(ddof=1))


def paired_difference(evidence: Evidence, settings: BootstrapSettings) -> PairedDifference:
    """The difference of what the evidence is about: reward in miners' places, or MCC."""
    if evidence.places is None:
        return _mcc_difference(evidence, settings)
    return _reward_difference(evidence, settings)


def _reward_difference(evidence: Evidence, settings: BootstrapSettings) -> PairedDifference:
    """Mean rewards over miners' places, each of which weighs as much as it was asked."""
    assert evidence.places is not None  # noqa: S101  (as `paired_difference` has seen)
    champion, challenger = evidence.champion, evidence.challenger
    # nothing but who was asked what, and when a history begins, is taken of the miners
    places = replace(evidence.places, prediction=np.zeros(len(evidence.places.prediction)))
    histories, owner = answer_codes(champion, places), places.owner
    shares = champion.positive_shares(), challenger.positive_shares()

    def rewards(draw: int, repeats: NDArray[np.uint8]) -> Floats:
        uniforms = variant_uniforms(champion.count, settings, draw)
        own, other = (candidate_codes(champion, share, uniforms) for share in shares)
        codes = with_outcomes_of(histories, own[places.challenge])
        scored = paired_rewards(champion, places, codes, other, repeats)
        asked = np.bincount(owner, repeats[places.challenge], places.count)
        means: Floats = (scored.reward * asked[:, None]).sum(axis=0) / max(1.0, asked.sum())
        return means

    def drawn(draw: int) -> Floats:
        repeats = image_repeats(champion.image_count, settings, draw)
        return rewards(draw, repeats[champion.images])

    once = np.ones(champion.count, np.uint8)
    # by whichever of the two has more to draw of
    several = max(variant_draws(side, settings) for side in (champion, challenger))
    points = in_threads(lambda draw: rewards(draw, once), range(several), settings.threads)
    draws = np.stack(in_threads(drawn, range(settings.draws), settings.threads))
    means = np.mean(points, axis=0)
    return PairedDifference(
        float(means[_CHAMPION]),
        float(means[_CHALLENGER]),
        draws[:, _CHALLENGER] - draws[:, _CHAMPION],
    )


def _mcc_difference(evidence: Evidence, settings: BootstrapSettings) -> PairedDifference:
    sides = evidence.champion, evidence.challenger
    counts = [image_confusion(without_miners(side), side.positive_shares()) for side in sides]

    def mccs(repeats: NDArray[np.uint8]) -> Floats:
        tables = np.stack([count.summed(repeats)[0, CANDIDATE] for count in counts])
        return mcc_of_tables(tables)

    images = evidence.champion.image_count
    points = mccs(np.ones(images, np.uint8))

    def drawn(draw: int) -> Floats:
        return mccs(image_repeats(images, settings, draw))

    draws = np.stack(in_threads(drawn, range(settings.draws), settings.threads))
    return PairedDifference(
        float(points[_CHAMPION]),
        float(points[_CHALLENGER]),
        draws[:, _CHALLENGER] - draws[:, _CHAMPION],
    )


@dataclass(frozen=True)
class SliceDifferences:
    """Differences of accuracy in S slices: `points` and sizes (S,), `draws` (draws, S)."""

    points: Floats
    draws: Floats
    n: NDArray[np.int64]
    images: NDArray[np.int64]


def slice_differences(
    evidence: Evidence, slices: Sequence[Membership], settings: BootstrapSettings
) -> SliceDifferences:
    """Challenger minus champion by accuracy in each slice, on the draws of `paired_difference`.

    A draw that holds no image of a slice is taken to be as the whole.
    """
    gains = _right(evidence.challenger) - _right(evidence.champion)
    images, count = evidence.champion.images, evidence.champion.image_count
    members = [np.flatnonzero(part.members) for part in slices]
    rows = np.repeat(np.arange(len(slices)), [len(indices) for indices in members])
    columns = np.concatenate([*members, np.empty(0, np.int64)]).astype(np.int64)
    shape = (len(slices), count)
    where = (rows, images[columns])
    # sparse products add in the order of the images: the local BLAS decides no bit
    gained = csr_array((gains[columns], where), shape=shape)
    sizes = csr_array((np.ones(len(columns)), where), shape=shape)
    repeats = np.stack(
        [image_repeats(count, settings, draw) for draw in range(settings.draws)], axis=1
    ).astype(np.float64)
    n = sizes.sum(axis=1)
    points = np.divide(gained.sum(axis=1), n, out=np.zeros(len(slices)), where=n > 0)
    drawn, drawn_n = gained @ repeats, sizes @ repeats
    whole = np.repeat(points[:, None], settings.draws, axis=1)
    draws = np.divide(drawn, drawn_n, out=whole, where=drawn_n > 0).T
    return SliceDifferences(
        points,
        draws,
        n.astype(np.int64),
        np.array([len(np.unique(images[indices])) for indices in members], np.int64),
    )


def image_gains(evidence: Evidence) -> Floats:
    """(images,), of each source image the mean gain of its challenges in accuracy, -1..1."""
    gains = _right(evidence.challenger) - _right(evidence.champion)
    images = evidence.champion.images
    means: Floats = np.bincount(images, gains) / np.bincount(images)
    return means


def _right(challenges: Challenges) -> Floats:
    """(C,), the share 0..1 of each challenge's possible images that are answered right."""
    shares = challenges.positive_shares()
    return np.where(challenges.labels == 1, shares, 1 - shares)
