"""Rewards round at 0.5: the shift of a candidate's logit that would have earned most.

Chosen on the earlier part of the challenges, judged on the later one. Rewards are those of a miner
who is asked about every challenge in turn, as a miner's own turns would only be a sample of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    image_repeats,
    in_threads,
    variant_draws,
    variant_uniforms,
)
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import (
    CLASS_THRESHOLD,
    Answers,
    Challenges,
    Flags,
    single_answerer,
)
from analytics.comparison.paired_rewards import (
    Codes,
    answer_codes,
    candidate_codes,
    paired_rewards,
    with_classes_of,
)
from analytics.scoring.metrics import Floats
from analytics.scoring.tracker import ScoringSettings

_TRIED = 40
_SHIFTED, _UNSHIFTED = 0, 1


@dataclass(frozen=True)
class LogitShift:
    """A shift of the logit, and what it changes; rewards are means, 0..1.

    Add `shift` to the candidate's logit, which is to answer roadwork above `threshold` in place of
    0.5. It earned most of all that were tried on the `earlier_n` challenges; `reward`, `unshifted`
    and their `difference` with its `interval` (None for fewer than 10 source images) are of the
    `later_n` that follow.
    """

    shift: float
    threshold: float
    tried: int
    earlier_n: int
    earlier_reward: float
    earlier_unshifted: float
    later_n: int
    reward: float
    unshifted: float
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class _Turns:
    """A part of the challenges, each asked about once in its turn."""

    challenges: Challenges
    asked: Answers
    codes: Codes
    scoring: ScoringSettings

    def rewards(
        self, positive_shares: Floats, uniforms: Floats, repeats: NDArray[np.uint8]
    ) -> Floats:
        """(2,), mean reward at these shares of class 1 and at those of 0.5, of the same images."""
        shifted, plain = (
            candidate_codes(self.challenges, share, uniforms)
            for share in (positive_shares, self.challenges.positive_shares())
        )
        codes = with_classes_of(self.codes, shifted[self.asked.challenge])
        walked = paired_rewards(self.challenges, self.asked, codes, plain, repeats, self.scoring)
        return np.asarray(walked.reward[0])


def best_logit_shift(
    challenges: Challenges,
    earlier: Flags,
    settings: BootstrapSettings = BootstrapSettings(),
    scoring: ScoringSettings = ScoringSettings(),
) -> LogitShift | None:
    """The shift that earns most on the `earlier` challenges, (C,), judged on the others.

    None where a part is empty. Of shifts that earn the same, the smallest.
    """
    if earlier.all() or not earlier.any():
        return None
    first, later = (_turns(challenges, part, scoring) for part in (earlier, ~earlier))
    thresholds = _thresholds(challenges, earlier)
    tried = _means(first, thresholds, settings)
    chosen = int(tried[:, _SHIFTED].argmax())
    threshold = float(thresholds[chosen])
    (judged,) = _means(later, thresholds[[chosen]], settings)
    difference = float(judged[_SHIFTED] - judged[_UNSHIFTED])
    return LogitShift(
        shift=0.0 - float(logit(threshold)),
        threshold=threshold,
        tried=len(thresholds),
        earlier_n=len(first.asked.challenge),
        earlier_reward=float(tried[chosen, _SHIFTED]),
        earlier_unshifted=float(tried[chosen, _UNSHIFTED]),
        later_n=len(later.asked.challenge),
        reward=float(judged[_SHIFTED]),
        unshifted=float(judged[_UNSHIFTED]),
        difference=difference,
        interval=_interval(later, threshold, difference, settings),
    )


def _turns(challenges: Challenges, part: Flags, scoring: ScoringSettings) -> _Turns:
    sent = np.flatnonzero(part).astype(np.int32)
    asked = single_answerer(sent, np.zeros(len(sent)))
    return _Turns(challenges, asked, answer_codes(challenges, asked), scoring)


def _thresholds(challenges: Challenges, earlier: Flags) -> Floats:
    """0.5 first, then by distance from it: between answers, evenly over their number."""
    answers = np.unique(challenges.probabilities[np.repeat(earlier, np.diff(challenges.starts))])
    between = (answers[1:] + answers[:-1]) / 2
    between = between[(between > 0) & (between < 1)]
    picked = np.unique(np.linspace(0, len(between) - 1, min(_TRIED, len(between))).astype(int))
    tried = np.concatenate([[CLASS_THRESHOLD], between[picked]])
    order = np.argsort(np.abs(logit(tried)), kind="stable")
    return np.asarray(tried[order])


def _means(turns: _Turns, thresholds: Floats, settings: BootstrapSettings) -> Floats:
    """(thresholds, 2), mean rewards over draws of possible images."""
    once = np.ones(turns.challenges.count, np.uint8)
    positive_shares = [turns.challenges.positive_shares(float(one)) for one in thresholds]

    def rewards(draw: int) -> list[Floats]:
        uniforms = variant_uniforms(turns.challenges.count, settings, draw)
        return [turns.rewards(share, uniforms, once) for share in positive_shares]

    draws = range(variant_draws(turns.challenges, settings))
    return np.asarray(np.mean(in_threads(rewards, draws, settings.threads), axis=0))


def _interval(
    turns: _Turns, threshold: float, found: float, settings: BootstrapSettings
) -> Interval | None:
    challenges = turns.challenges
    if len(np.unique(challenges.images[turns.asked.challenge])) < MIN_IMAGES:
        return None
    positive_shares = challenges.positive_shares(threshold)

    def difference(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, settings, draw)[challenges.images]
        uniforms = variant_uniforms(challenges.count, settings, draw)
        shifted, plain = turns.rewards(positive_shares, uniforms, repeats)
        return float(shifted - plain)

    drawn = np.array(in_threads(difference, range(settings.draws), settings.threads))
    low, high = centred_intervals(np.array([found]), drawn[:, None], settings.level)[0]
    return float(low), float(high)
