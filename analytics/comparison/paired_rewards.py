"""Rewards and EMA over a drawn sequence of challenges, of answerers and of a candidate in place.

The sequence repeats each challenge as often as its source image was drawn, in order, and goes
through the validator's windows; another validator's life has windows of its own. The bootstrap
walks tens of billions of answers, so that the four counts of a window are kept in one integer, an
answer is what it adds to them, and the walk itself branches on nothing that was drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Answers, Challenges, Integers
from analytics.numba_loops import compiled
from analytics.scoring import metrics
from analytics.scoring.metrics import UNANSWERED, ConfusionCounts, Floats
from analytics.scoring.tracker import ScoringSettings
from analytics.scoring.windows import LONG, SHORT, Histories, empty_histories, push, window_counts

Codes = NDArray[np.uint8]
Sums = tuple[float, float, float]

# Bits of a code: class and label (or silence), reward paid; another history begins with it; the
# miner's last answer to that challenge; a class that the packed counts cannot hold; another
# validator's life begins with it.
_LABEL, _POSITIVE, _SILENT, _PAID, _BEGINS, _LAST, _ODD, _LIFE = 1, 2, 4, 8, 16, 32, 64, 128
_FIELD = 16
_LOWEST = (1 << _FIELD) - 1
# by the lowest three bits: true and false negatives, false and true positives, nothing
_ADDED = np.array([1 << (_FIELD * place) for place in range(4)] + [0] * 4, np.int64)
_AT_ONCE = 4


@dataclass(frozen=True)
class PairedRewards:
    """Of M answerers and of the candidate in their place, (M, 2), 0..1; 0 for nothing asked.

    `reward` is the mean over answers asked for, `ema` the moving average after the last one, and
    `mean_ema` its mean over challenges. A history and an EMA begin at 0 with each hotkey and with
    each validator's life; of several lives `ema` is the mean of each one's last, weighted by the
    challenges asked in it. The EMA is in float64: a validator's float32 differs by rounding.
    """

    reward: Floats
    ema: Floats
    mean_ema: Floats


def candidate_codes(
    challenges: Challenges, positive_shares: Floats, uniforms: Floats | float
) -> Codes:
    """(C,), the candidate's answers as codes, one possible image drawn for each challenge.

    Args:
        challenges: asked about.
        positive_shares: (C,), of possible images whose answer is class 1, 0..1.
        uniforms: (C,), uniform in 0..1: the image drawn is of class 1 where it is below
            `positive_shares`.
    """
    codes: Codes = (uniforms < positive_shares).astype(np.uint8)
    codes *= _POSITIVE
    codes |= challenges.labels.astype(np.uint8)
    codes |= _PAID
    return codes


def answer_codes(challenges: Challenges, answers: Answers) -> Codes:
    """(A,), answers as codes for `paired_rewards`."""
    prediction, classes = answers.prediction, answers.classes
    silent = prediction == UNANSWERED
    first = np.zeros(len(prediction) + 1, np.bool_)
    first[answers.starts] = True
    of_life = first[:-1] | (np.diff(challenges.lives[answers.challenge], prepend=-1) != 0)
    begins = of_life | (np.diff(answers.spell, prepend=-1) != 0)
    last = first[1:] | (np.diff(answers.challenge, append=-1) != 0)
    flags = (
        (classes == 1, _POSITIVE),
        (silent, _SILENT),
        ((prediction >= 0) & (prediction <= 1), _PAID),
        (begins, _BEGINS),
        (of_life, _LIFE),
        (last, _LAST),
        (~silent & (classes != 0) & (classes != 1), _ODD),
    )
    codes = challenges.labels[answers.challenge].astype(np.uint8)
    for flag, bit in flags:
        codes |= np.where(flag, bit, 0).astype(np.uint8)
    return codes


def with_classes_of(codes: Codes, classes: Codes) -> Codes:
    """Codes with class, label and pay of others of the same shape, each in its own place."""
    taken = _LABEL | _POSITIVE | _SILENT | _PAID
    return (codes & ~np.uint8(taken)) | (classes & np.uint8(taken))


def paired_rewards(
    challenges: Challenges,
    answers: Answers,
    codes: Codes,
    candidate: Codes,
    repeats: NDArray[np.uint8],
    settings: ScoringSettings = ScoringSettings(),
) -> PairedRewards:
    """Walk everyone's answers, and the candidate's to the same challenges.

    Args:
        challenges: that were answered.
        answers: who was asked what, and when.
        codes: (A,), of `answer_codes`.
        candidate: (C,), of `candidate_codes`.
        repeats: (C,), how often each challenge stands in the sequence.
        settings: windows and weight of the EMA.
    """
    found = np.zeros((3, answers.count, 2))
    _walk_all(
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
        found,
    )
    return PairedRewards(*found)


@compiled
def _walk_all(
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
    found: Floats,
) -> None:
    rings = np.zeros((2, history.predictions.shape[1]), np.int64)
    for one in range(len(starts) - 1):
        answers, steps, in_life, first = 0, 0, 0, starts[one]
        last_emas = (0.0, 0.0)
        while first < starts[one + 1]:
            last = first + 1
            while last < starts[one + 1] and not codes[last] & _BEGINS:
                last += 1
            drawn = _drawn(challenge, codes, repeats, first, last)
            asked = challenge[drawn]
            own, swapped = codes[drawn], candidate[asked]
            walked = _walk(own, swapped, exponents[asked], short, alpha, rings)
            sides = (walked[0], walked[1])
            if (own & _ODD).any():
                history.hotkeys[0] = -1
                given = (predictions[drawn], labels[asked], exponents[asked])
                sides = (_walk_odd(own, *given, short, alpha, history), walked[1])
            for side in range(2):
                found[0, one, side] += sides[side][0]
                found[2, one, side] += sides[side][2]
            # an EMA is that of a life's last hotkey's spell, a sum that of all spells
            last_emas = (sides[0][1], sides[1][1])
            answers += len(drawn)
            in_life += (own & _LAST > 0).sum()
            first = last
            if in_life and (first == starts[one + 1] or codes[first] & _LIFE):
                steps += in_life
                for side in range(2):
                    found[1, one, side] += (last_emas[side] - found[1, one, side]) * (
                        in_life / steps
                    )
                in_life = 0
        found[0, one] /= max(1, answers)
        found[2, one] /= max(1, steps)


@compiled
def _drawn(
    challenge: Integers, codes: Codes, repeats: NDArray[np.uint8], first: int, last: int
) -> Integers:
    """The answers `first` to `last` - 1 as often as drawn, a challenge's answers together."""
    total = 0
    for at in range(first, last):
        total += repeats[challenge[at]]
    order = np.empty(total + _AT_ONCE, np.int32)
    filled, at = 0, first
    while at < last:
        times, end = repeats[challenge[at]], at + 1
        if codes[at] & _LAST and times <= _AT_ONCE:
            # written in any case and then counted, as no processor guesses a drawn number
            for place in range(_AT_ONCE):
                order[filled + place] = at
            filled += times
        else:
            while not codes[end - 1] & _LAST:
                end += 1
            for _ in range(times):
                for member in range(at, end):
                    order[filled] = member
                    filled += 1
        at = end
    return order[:total]


@compiled
def _walk(
    codes: Codes,
    candidate: Codes,
    exponents: NDArray[np.int8],
    short: int,
    alpha: float,
    rings: NDArray[np.int64],
) -> tuple[Sums, Sums]:
    """Both sides of one spell, (n,) each: sum of rewards, last EMA, sum of EMAs."""
    rings[:] = 0
    size = rings.shape[1]
    own, theirs = rings[0], rings[1]
    own_long, own_short, their_long, their_short, place = 0, 0, 0, 0, 0
    own_ema, their_ema, own_rewards, their_rewards, own_emas, their_emas = (0.0,) * 6
    for at in range(len(codes)):
        leaving = place - short if place >= short else place - short + size
        added, swapped = _ADDED[codes[at] & 7], _ADDED[candidate[at] & 7]
        own_short += added - own[leaving]
        their_short += swapped - theirs[leaving]
        own_long += added - own[place]
        their_long += swapped - theirs[place]
        own[place], theirs[place] = added, swapped
        place = place + 1 if place + 1 < size else 0
        own_reward = _reward(own_long, own_short, exponents[at]) if codes[at] & _PAID else 0.0
        their_reward = _reward(their_long, their_short, exponents[at])
        own_rewards += own_reward
        their_rewards += their_reward
        # of a challenge that asked twice the last reward counts
        if codes[at] & _LAST:
            own_ema = alpha * own_reward + (1.0 - alpha) * own_ema
            their_ema = alpha * their_reward + (1.0 - alpha) * their_ema
            own_emas += own_ema
            their_emas += their_ema
    return (own_rewards, own_ema, own_emas), (their_rewards, their_ema, their_emas)


@compiled
def _reward(in_long: int, in_short: int, exponent: int) -> float:
    floored = max(0.0, metrics.mcc(_unpacked(in_long)))
    return metrics.reward_near(floored, metrics.accuracy(_unpacked(in_short)), exponent)


@compiled
def _unpacked(packed: int) -> ConfusionCounts:
    return ConfusionCounts(
        packed >> (3 * _FIELD),
        (packed >> (2 * _FIELD)) & _LOWEST,
        (packed >> _FIELD) & _LOWEST,
        packed & _LOWEST,
    )


@compiled
def _walk_odd(
    codes: Codes,
    predictions: Floats,
    labels: NDArray[np.int8],
    exponents: NDArray[np.int8],
    short: int,
    alpha: float,
    history: Histories,
) -> Sums:
    """A spell with answers that are of neither class, or not finite: a few miners' only."""
    long = history.predictions.shape[1]
    ema, rewards, emas = 0.0, 0.0, 0.0
    for at in range(len(codes)):
        push(history, 0, 0, predictions[at], labels[at], short, False)
        reward = 0.0
        if codes[at] & _PAID:
            mcc = metrics.mcc(window_counts(history, 0, LONG, long))
            recent = metrics.accuracy(window_counts(history, 0, SHORT, short))
            reward = metrics.reward_near(max(0.0, mcc), recent, exponents[at])
        rewards += reward
        if codes[at] & _LAST:
            ema = alpha * reward + (1.0 - alpha) * ema
            emas += ema
    return rewards, ema, emas
