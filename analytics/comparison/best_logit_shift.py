"""The shift of a candidate's logit that earns most reward, which rounds answers at 0.5.

Fitted on the earlier part of the challenges and evaluated on the later one. Rewards are those of a
miner that is asked every challenge in turn; a real miner is asked only a sample of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from analytics.comparison.answer_codes import Codes, answer_codes, candidate_codes, with_outcomes_of
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
    Answers,
    Challenges,
    Flags,
    single_answerer,
)
from analytics.comparison.paired_rewards import paired_rewards
from analytics.scoring.metrics import Floats
from analytics.scoring.predicted_class import CLASS_THRESHOLD
from analytics.scoring.tracker import ScoringSettings

_MOST_THRESHOLDS = 40
_SHIFTED, _UNSHIFTED = 0, 1


@dataclass(frozen=True)
class LogitShift:
    """A shift of the logit and what it changes; rewards are means, 0..1.

    Adding `shift` to the candidate's logit is the same as answering roadwork above `threshold`
    instead of 0.5. Of all `tried` thresholds it earned most on the `earlier_n` challenges:
    `earlier_reward`, and `earlier_unshifted` without it. `reward`, `unshifted` and their
    `difference` with its `interval` (None for fewer than 10 source images) are of the `later_n`
    challenges that follow.
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
class _Part:
    """A part of the challenges, and a placeholder answerer that is asked each of them once.

    `unshifted` are the shares, (C,), of variants that are of class 1 at the threshold 0.5.
    """

    challenges: Challenges
    unshifted: Floats
    asked: Answers
    codes: Codes
    scoring: ScoringSettings

    def rewards(
        self, positive_shares: Floats, uniforms: Floats, repeats: NDArray[np.uint8]
    ) -> Floats:
        """(2,), mean reward at these shares of class 1, and at those of the threshold 0.5."""
        shifted, unshifted = (
            candidate_codes(self.challenges, shares, uniforms)
            for shares in (positive_shares, self.unshifted)
        )
        codes = with_outcomes_of(self.codes, shifted[self.asked.challenge])
        scored = paired_rewards(
            self.challenges, self.asked, codes, unshifted, repeats, self.scoring
        )
        return np.asarray(scored.reward[0])


def best_logit_shift(
    challenges: Challenges,
    earlier: Flags,
    settings: BootstrapSettings = BootstrapSettings(),
    scoring: ScoringSettings = ScoringSettings(),
) -> LogitShift | None:
    """The shift that earns most on the `earlier` challenges, (C,) flags, evaluated on the others.

    None where a part is empty. Of shifts that earn the same, the smallest.
    """
    if earlier.all() or not earlier.any():
        return None
    fitted, evaluated = (_part(challenges, flags, scoring) for flags in (earlier, ~earlier))
    thresholds = _thresholds(challenges, earlier)
    rewards = _mean_rewards(fitted, thresholds, settings)
    best = int(rewards[:, _SHIFTED].argmax())
    threshold = float(thresholds[best])
    (later,) = _mean_rewards(evaluated, thresholds[[best]], settings)
    difference = float(later[_SHIFTED] - later[_UNSHIFTED])
    return LogitShift(
        shift=0.0 - float(logit(threshold)),
        threshold=threshold,
        tried=len(thresholds),
        earlier_n=len(fitted.asked.challenge),
        earlier_reward=float(rewards[best, _SHIFTED]),
        earlier_unshifted=float(rewards[best, _UNSHIFTED]),
        later_n=len(evaluated.asked.challenge),
        reward=float(later[_SHIFTED]),
        unshifted=float(later[_UNSHIFTED]),
        difference=difference,
        interval=_interval(evaluated, threshold, difference, settings),
    )


def _part(challenges: Challenges, flags: Flags, scoring: ScoringSettings) -> _Part:
    indices = np.flatnonzero(flags).astype(np.int32)
    asked = single_answerer(indices, np.zeros(len(indices)))
    codes = answer_codes(challenges, asked)
    return _Part(challenges, challenges.positive_shares(), asked, codes, scoring)


def _thresholds(challenges: Challenges, earlier: Flags) -> Floats:
    """0.5 and midpoints of neighbouring answers, at most 40 even by rank; nearest to 0.5 first."""
    answers = np.unique(challenges.probabilities[np.repeat(earlier, np.diff(challenges.starts))])
    midpoints = (answers[1:] + answers[:-1]) / 2
    midpoints = midpoints[(midpoints > 0) & (midpoints < 1)]
    count = min(_MOST_THRESHOLDS, len(midpoints))
    ranks = np.unique(np.linspace(0, len(midpoints) - 1, count).astype(int))
    thresholds = np.concatenate([[CLASS_THRESHOLD], midpoints[ranks]])
    order = np.argsort(np.abs(logit(thresholds)), kind="stable")
    return np.asarray(thresholds[order])


def _mean_rewards(part: _Part, thresholds: Floats, settings: BootstrapSettings) -> Floats:
    """(thresholds, 2: shifted, unshifted), mean rewards over sampled variants."""
    count = part.challenges.count
    once, draws = np.ones(count, np.uint8), range(variant_draws(part.challenges, settings))

    def rewards_of(threshold: float) -> list[Floats]:
        # shares of one threshold at a time: of all they would be most of what is held
        shares = part.challenges.positive_shares(threshold)

        def rewards(draw: int) -> Floats:
            return part.rewards(shares, variant_uniforms(count, settings, draw), once)

        return in_threads(rewards, draws, settings.threads)

    by_threshold = [rewards_of(float(threshold)) for threshold in thresholds]
    return np.asarray(np.mean(np.stack(by_threshold, axis=1), axis=0))


def _interval(
    part: _Part, threshold: float, point: float, settings: BootstrapSettings
) -> Interval | None:
    challenges = part.challenges
    if len(np.unique(challenges.images[part.asked.challenge])) < MIN_IMAGES:
        return None
    positive_shares = challenges.positive_shares(threshold)

    def difference(draw: int) -> float:
        repeats = image_repeats(challenges.image_count, settings, draw)[challenges.images]
        uniforms = variant_uniforms(challenges.count, settings, draw)
        shifted, unshifted = part.rewards(positive_shares, uniforms, repeats)
        return float(shifted - unshifted)

    draws = np.array(in_threads(difference, range(settings.draws), settings.threads))
    low, high = centred_intervals(np.array([point]), draws[:, None], settings.level)[0]
    return float(low), float(high)
