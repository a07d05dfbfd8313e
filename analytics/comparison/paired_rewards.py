"""Rewards and EMA of answerers, and of a candidate asked the same, over resampled challenges.

The resampled sequence repeats each challenge as often as its source image was drawn, in order, and
goes through the validator's windows; another validator's life has windows of its own. The bootstrap
scores tens of billions of answers, so the four confusion counts of a window are packed into one
integer, an answer is what it adds to that, and the inner loop branches on nothing random.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.answer_codes import (
    LAST,
    NEITHER_CLASS,
    NEW_LIFE,
    OUTCOME,
    PAID,
    Codes,
    has_flag,
    history_end,
)
from analytics.comparison.paired_answers import Answers, Challenges, Integers
from analytics.numba_loops import compiled
from analytics.scoring import metrics
from analytics.scoring.metrics import ConfusionCounts, Floats
from analytics.scoring.tracker import ScoringSettings
from analytics.scoring.windows import LONG, SHORT, Histories, empty_histories, push, window_counts

Sums = tuple[float, float, float]

_BITS = 16
"""Bits of one count among the four that are packed into an integer."""
_COUNT_MASK = (1 << _BITS) - 1
_INCREMENTS = np.array([1 << (_BITS * count) for count in range(4)] + [0] * 4, np.int64)
"""What an answer adds to packed counts, by outcome: to true and false negatives, false and true
positives; nothing without an answer."""
_LAST_BIT = LAST.bit_length() - 1
_UNROLLED = 4
_BLOCK = 512
"""Answers that are scored at a time: what is kept of them stays in the processor's first cache."""


@dataclass(frozen=True)
class PairedRewards:
    """Rewards of M answerers and of the candidate asked the same: (M, 2), 0..1; 0 if not asked.

    `reward` is the mean over answers asked for, `ema` the moving average after the last one, and
    `mean_ema` its mean over challenges. A history and an EMA begin at 0 with each hotkey and with
    each validator's life; of several lives `ema` is the mean of each life's last EMA, weighted by
    the challenges asked in it. It is in float64: a validator's float32 differs by rounding.
    """

    reward: Floats
    ema: Floats
    mean_ema: Floats


def paired_rewards(
    challenges: Challenges,
    answers: Answers,
    codes: Codes,
    candidate: Codes,
    repeats: NDArray[np.uint8],
    settings: ScoringSettings = ScoringSettings(),
) -> PairedRewards:
    """Score every answerer's answers, and the candidate's to the same challenges.

    Args:
        challenges: that were answered.
        answers: who was asked what, and when.
        codes: (A,), of `answer_codes`.
        candidate: (C,), of `candidate_codes`.
        repeats: (C,), how often each challenge is in the resampled sequence.
        settings: windows and weight of the EMA.
    """
    sums = np.zeros((3, answers.count, 2))
    _score_all(
        answers.starts,
        answers.challenge,
        codes,
        candidate,
        answers.prediction,
        challenges.labels,
        challenges.exponents,
        repeats,
        settings.accuracy_window,
        settings.alpha,
        empty_histories(1, settings.metrics_window),
        sums,
    )
    return PairedRewards(*sums)


@compiled
def _score_all(
    starts: NDArray[np.int64],
    challenge: Integers,
    codes: Codes,
    candidate: Codes,
    predictions: Floats,
    labels: NDArray[np.int8],
    exponents: NDArray[np.int8],
    repeats: NDArray[np.uint8],
    short: int,
    alpha: float,
    history: Histories,
    sums: Floats,
) -> None:
    """Fill `sums`, (3: reward, EMA, mean EMA; M; 2 sides), with the means of `PairedRewards`."""
    rings = np.zeros((2, history.predictions.shape[1]), np.int64)
    for answerer in range(len(starts) - 1):
        answers, steps, in_life, first = 0, 0, 0, starts[answerer]
        last_emas = (0.0, 0.0)
        while first < starts[answerer + 1]:
            last = history_end(codes, first, starts[answerer + 1])
            order = resampled(challenge, codes, repeats, first, last)
            asked = challenge[order]
            own, swapped = codes[order], candidate[asked]
            scored = _score_history(own, swapped, exponents[asked], short, alpha, rings)
            sides = (scored[0], scored[1])
            if has_flag(own, NEITHER_CLASS):
                history.hotkeys[0] = -1
                given = (predictions[order], labels[asked], exponents[asked])
                sides = (score_with_neither(own, *given, short, alpha, history), scored[1])
            for side in range(2):
                sums[0, answerer, side] += sides[side][0]
                sums[2, answerer, side] += sides[side][2]
            # a life's EMA is that of its last history; rewards and EMAs are summed over all
            last_emas = (sides[0][1], sides[1][1])
            answers += len(order)
            for code in own:
                in_life += code >> _LAST_BIT & 1
            first = last
            if in_life and (first == starts[answerer + 1] or codes[first] & NEW_LIFE):
                steps += in_life
                for side in range(2):
                    sums[1, answerer, side] += (last_emas[side] - sums[1, answerer, side]) * (
                        in_life / steps
                    )
                in_life = 0
        sums[0, answerer] /= max(1, answers)
        sums[2, answerer] /= max(1, steps)


@compiled
def resampled(
    challenge: Integers, codes: Codes, repeats: NDArray[np.uint8], first: int, last: int
) -> Integers:
    """Indices of answers `first` to `last` - 1, as often as resampled, a challenge's together."""
    total = 0
    for index in range(first, last):
        total += repeats[challenge[index]]
    order = np.empty(total + _UNROLLED, np.int32)
    filled, index = 0, first
    while index < last:
        times, end = repeats[challenge[index]], index + 1
        if codes[index] & LAST and times <= _UNROLLED:
            # always four writes, then counted: a branch on a random number is never predicted
            for offset in range(_UNROLLED):
                order[filled + offset] = index
            filled += times
        else:
            while not codes[end - 1] & LAST:
                end += 1
            for _ in range(times):
                for member in range(index, end):
                    order[filled] = member
                    filled += 1
        index = end
    return order[:total]


@compiled
def _score_history(
    codes: Codes,
    candidate: Codes,
    exponents: NDArray[np.int8],
    short: int,
    alpha: float,
    rings: NDArray[np.int64],
) -> tuple[Sums, Sums]:
    """Both sides of one history, (n,) each: sum of rewards, last EMA, sum of EMAs.

    In blocks: rewards of many answers are computed in one loop that the processor can do several
    turns of at once, between two that cannot be: that of the windows and that of the EMA.
    """
    rings[:] = 0
    windows = np.empty((2, 2, _BLOCK), np.int64)
    states, rewards = np.zeros((2, 2), np.int64), np.empty((2, _BLOCK))
    own_ema, their_ema, own_rewards, their_rewards, own_emas, their_emas = (0.0,) * 6
    slot = 0
    for first in range(0, len(codes), _BLOCK):
        own, theirs = codes[first : first + _BLOCK], candidate[first : first + _BLOCK]
        powers = exponents[first : first + _BLOCK]
        # both sides in one loop would be a chain of half the length twice
        _push_block(own, short, rings[0], states[0], slot, windows[0])
        slot = _push_block(theirs, short, rings[1], states[1], slot, windows[1])
        _reward_block(windows[0], powers, rewards[0])
        _reward_block(windows[1], powers, rewards[1])
        for index in range(len(own)):
            own_reward = rewards[0, index] if own[index] & PAID else 0.0
            their_reward = rewards[1, index]
            own_rewards += own_reward
            their_rewards += their_reward
            # where a challenge asks an answerer twice, its last reward counts
            if own[index] & LAST:
                own_ema = alpha * own_reward + (1.0 - alpha) * own_ema
                their_ema = alpha * their_reward + (1.0 - alpha) * their_ema
                own_emas += own_ema
                their_emas += their_ema
    return (own_rewards, own_ema, own_emas), (their_rewards, their_ema, their_emas)


@compiled
def _push_block(
    codes: Codes,
    short: int,
    ring: NDArray[np.int64],
    state: NDArray[np.int64],
    slot: int,
    windows: NDArray[np.int64],
) -> int:
    """Push answers through both windows: the packed counts after each; returns the next slot."""
    size = len(ring)
    in_long, in_short = state[LONG], state[SHORT]
    for index in range(len(codes)):
        leaving = slot - short if slot >= short else slot - short + size
        added = _INCREMENTS[codes[index] & OUTCOME]
        in_short += added - ring[leaving]
        in_long += added - ring[slot]
        ring[slot] = added
        slot = slot + 1 if slot + 1 < size else 0
        windows[LONG, index], windows[SHORT, index] = in_long, in_short
    state[LONG], state[SHORT] = in_long, in_short
    return slot


@compiled
def _reward_block(windows: NDArray[np.int64], exponents: NDArray[np.int8], rewards: Floats) -> None:
    """The rewards after each answer, as `metrics.reward_near` gives them."""
    count, highest = len(exponents), 1
    bases = np.empty(count)
    in_long, in_short = windows[LONG], windows[SHORT]
    for index in range(count):
        floored = max(0.0, metrics.mcc(_unpack(in_long[index])))
        bases[index] = metrics.reward_near(floored, metrics.accuracy(_unpack(in_short[index])), 1)
        highest = max(highest, exponents[index])
    rewards[:count] = bases
    for power in range(1, highest):
        for index in range(count):
            rewards[index] *= bases[index] if exponents[index] > power else 1.0


@compiled
def _unpack(packed: int) -> ConfusionCounts:
    return ConfusionCounts(
        packed >> (3 * _BITS),
        (packed >> (2 * _BITS)) & _COUNT_MASK,
        (packed >> _BITS) & _COUNT_MASK,
        packed & _COUNT_MASK,
    )


@compiled
def score_with_neither(
    codes: Codes,
    predictions: Floats,
    labels: NDArray[np.int8],
    exponents: NDArray[np.int8],
    short: int,
    alpha: float,
    history: Histories,
) -> Sums:
    """Of a history with answers of neither class, or not finite, as few miners send them."""
    long = history.predictions.shape[1]
    ema, rewards, emas = 0.0, 0.0, 0.0
    for index in range(len(codes)):
        push(history, 0, 0, predictions[index], labels[index], short, False)
        reward = 0.0
        if codes[index] & PAID:
            mcc = metrics.mcc(window_counts(history, 0, LONG, long))
            recent = metrics.accuracy(window_counts(history, 0, SHORT, short))
            reward = metrics.reward_near(max(0.0, mcc), recent, exponents[index])
        rewards += reward
        if codes[index] & LAST:
            ema = alpha * reward + (1.0 - alpha) * ema
            emas += ema
    return rewards, ema, emas
