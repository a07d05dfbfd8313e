"""Challenger minus champion on the same challenges, as observed and over resampled source images.

Reward depends on the last 100 and the last 10 answers, so a resampled log is scored anew, through
the validator's own windows, in every miner's place (`analytics.comparison.paired_rewards`).
"""

from collections.abc import Callable, Sequence
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
from analytics.comparison.paired_answers import (
    CANDIDATE,
    Answers,
    Challenges,
    Flags,
    without_miners,
)
from analytics.comparison.paired_rewards import paired_rewards
from analytics.scoring.metrics import Floats, mcc_of_tables
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.guarded_slices import Membership

_CHAMPION, _CHALLENGER = 0, 1


@dataclass(frozen=True)
class PairedDifference:
    """The scores of both, and their difference in each draw.

    `draws`, (draws,), are of resampled source images. `exchanged`, (draws,), are of the log as it
    was, with the two models' answers exchanged on half of the source images, drawn at random: what
    the difference would be if the two were equally good.
    """

    champion: float
    challenger: float
    draws: Floats
    exchanged: Floats

    @property
    def difference(self) -> float:
        """Challenger minus champion."""
        return self.challenger - self.champion

    @property
    def error(self) -> float:
        """The standard error of the difference: the larger one of both kinds of draws.

        Where windows have to fill, resampled images alone show too little: in simulated gates the
        difference spread 1.13 times as far as they said with 200 images, 1.05 times with 600. Of
        two equally good models any exchange is as probable as what was seen (a randomisation test,
        Fisher 1935), whatever windows do: by these draws it was 0.97 times.
        """
        return max(float(self.draws.std(ddof=1)), float(np.sqrt(np.mean(self.exchanged**2))))


def paired_difference(evidence: Evidence, settings: BootstrapSettings) -> PairedDifference:
    """The difference of what the evidence is about: reward in miners' places, or MCC."""
    if evidence.places is None:
        return _mcc_difference(evidence, settings)
    return _reward_difference(evidence, evidence.places, settings)


def _reward_difference(
    evidence: Evidence, asked: Answers, settings: BootstrapSettings
) -> PairedDifference:
    """Mean rewards over miners' places, each of which weighs as much as it was asked."""
    champion, challenger = evidence.champion, evidence.challenger
    # nothing but who was asked what, and when a history begins, is taken of the miners
    places = replace(asked, prediction=np.zeros(len(asked.prediction)))
    histories, owner = answer_codes(champion, places), places.owner
    own, other = champion.positive_shares(), challenger.positive_shares()

    def scores(draw: int, repeats: NDArray[np.uint8], exchanged: Flags) -> Floats:
        uniforms = variant_uniforms(champion.count, settings, draw)
        turned = exchanged[champion.images]
        sides = (np.where(turned, other, own), np.where(turned, own, other))
        first, second = (candidate_codes(champion, share, uniforms) for share in sides)
        repeated = repeats[champion.images]
        codes = with_outcomes_of(histories, first[places.challenge])
        scored = paired_rewards(champion, places, codes, second, repeated)
        times = np.bincount(owner, repeated[places.challenge], places.count)
        means: Floats = (scored.reward * times[:, None]).sum(axis=0) / max(1.0, times.sum())
        return means

    # by whichever of the two has more to draw of
    several = max(variant_draws(side, settings) for side in (champion, challenger))
    return _drawn(scores, champion.image_count, several, settings)


def _mcc_difference(evidence: Evidence, settings: BootstrapSettings) -> PairedDifference:
    sides = evidence.champion, evidence.challenger
    counts = [image_confusion(without_miners(side), side.positive_shares()) for side in sides]

    def scores(_draw: int, repeats: NDArray[np.uint8], exchanged: Flags) -> Floats:
        kept, turned = repeats * ~exchanged, repeats * exchanged
        tables = [
            counts[side].summed(kept)[0, CANDIDATE] + counts[1 - side].summed(turned)[0, CANDIDATE]
            for side in (_CHAMPION, _CHALLENGER)
        ]
        return mcc_of_tables(np.stack(tables))

    return _drawn(scores, evidence.champion.image_count, 1, settings)


Scores = Callable[[int, NDArray[np.uint8], Flags], Floats]
"""Scores of champion and challenger, (2,): of a draw's number, how often each source image counts,
and on which of them the two exchange their answers."""


def _drawn(
    scores: Scores, images: int, points: int, settings: BootstrapSettings
) -> PairedDifference:
    once, nowhere = np.ones(images, np.uint8), np.zeros(images, np.bool_)

    def point(draw: int) -> Floats:
        return scores(draw, once, nowhere)

    def drawn(draw: int) -> Floats:
        resampled = scores(draw, image_repeats(images, settings, draw), nowhere)
        exchanged = scores(draw, once, _exchanged(images, settings, draw))
        return np.stack([resampled, exchanged])

    means = np.mean(in_threads(point, range(points), settings.threads), axis=0)
    draws = np.stack(in_threads(drawn, range(settings.draws), settings.threads))
    # (draws, 2 kinds)
    differences = draws[..., _CHALLENGER] - draws[..., _CHAMPION]
    return PairedDifference(
        float(means[_CHAMPION]), float(means[_CHALLENGER]), *np.ascontiguousarray(differences.T)
    )


def _exchanged(images: int, settings: BootstrapSettings, draw: int) -> Flags:
    """(images,), on which source images the models exchange their answers in a draw."""
    return np.random.default_rng([settings.seed, draw, 1]).random(images) < 1 / 2


@dataclass(frozen=True)
class SliceDifferences:
    """Differences of accuracy in S slices: `points` and sizes (S,), `draws` (draws, S).

    `champion`, (S,), is the accuracy of the champion there.
    """

    champion: Floats
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
    before = _right(evidence.champion)
    gains = _right(evidence.challenger) - before
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
        np.array([before[indices].mean() if len(indices) else 0.0 for indices in members]),
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
