"""What each slice costs a candidate in reward, of all slices at once.

For every slice the same sequence goes through the validator's windows, with the miners' answers in
the slice and the candidate's elsewhere. The inner loop runs over slices, so that the processor
scores several in one instruction; an answer is what it adds to four counts packed into an integer.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.answer_codes import (
    NEITHER_CLASS,
    OUTCOME,
    PAID,
    POSITIVE_ANSWER,
    POSITIVE_LABEL,
    Codes,
    answer_codes,
    candidate_codes,
    has_flag,
    history_end,
)
from analytics.comparison.bootstrap import (
    BootstrapSettings,
    image_repeats,
    in_threads,
    variant_draws,
    variant_uniforms,
)
from analytics.comparison.paired_answers import Answers, Challenges, Integers, PairedAnswers
from analytics.comparison.paired_rewards import resampled, score_with_neither
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats
from analytics.scoring.tracker import ScoringSettings
from analytics.scoring.windows import Histories, empty_histories
from analytics.slices.members import SliceMembers

_SCORING = ScoringSettings()
_BITS = 7
"""Bits of one count among the four that are packed: a window holds 100 answers."""
_MASK = (1 << _BITS) - 1


def _increment(outcome: int) -> int:
    """What an answer adds: to answers, those of label 1, those of class 1, those of both."""
    label, positive = bool(outcome & POSITIVE_LABEL), bool(outcome & POSITIVE_ANSWER)
    return 1 << 3 * _BITS | label << 2 * _BITS | positive << _BITS | (label and positive)


_INCREMENTS = np.array([_increment(outcome) for outcome in range(4)] + [0] * 4, np.int32)


class SliceCosts:
    """The costs of S slices; see `Slice.cost`."""

    def __init__(
        self, paired: PairedAnswers, members: SliceMembers, settings: BootstrapSettings
    ) -> None:
        """Nothing is computed yet.

        Args:
            paired: answers of miners and of the candidate.
            members: of the slices.
            settings: of the draws.
        """
        self._challenges, self._answers = paired.challenges, paired.answers
        self._members, self._settings = members, settings
        self._codes = answer_codes(paired.challenges, paired.answers)
        self._positive_shares = paired.challenges.positive_shares()

    def points(self) -> list[float]:
        """(S,), on the challenges as they were sent: means over draws of variants."""
        once = np.ones(self._challenges.count, np.uint8)

        def costs(draw: int) -> Floats:
            return self._costs(once, draw)

        draws = range(variant_draws(self._challenges, self._settings))
        by_slice = np.stack(in_threads(costs, draws, self._settings.threads), axis=1)
        return [float(np.mean(values)) for values in by_slice]

    def drawn(self, draws: int) -> Floats:
        """(S, draws), over resampled source images."""
        challenges = self._challenges

        def costs(draw: int) -> Floats:
            repeats = image_repeats(challenges.image_count, self._settings, draw)
            return self._costs(repeats[challenges.images], draw)

        return np.stack(in_threads(costs, range(draws), self._settings.threads), axis=1)

    def _costs(self, repeats: NDArray[np.uint8], draw: int) -> Floats:
        """(S,), mean reward of the miners' answers in a slice and the candidate's elsewhere, minus
        the mean reward of the candidate's answers everywhere."""
        uniforms = variant_uniforms(self._challenges.count, self._settings, draw)
        candidate = candidate_codes(self._challenges, self._positive_shares, uniforms)
        rewards, asked = mixed_rewards(
            self._challenges, self._answers, self._codes, candidate, repeats, self._members
        )
        sums = (rewards * asked[:, None]).T
        differences = np.ascontiguousarray(sums[:-1] - sums[-1])
        # one by one: each is summed in the same order, however many there are
        totals = np.array([values.sum() for values in differences])
        costs: Floats = totals / max(1.0, asked.sum())
        return costs


def mixed_rewards(
    challenges: Challenges,
    answers: Answers,
    codes: Codes,
    candidate: Codes,
    repeats: NDArray[np.uint8],
    members: SliceMembers,
) -> tuple[Floats, Floats]:
    """Mean rewards of M answerers' answers in each slice, and the candidate's elsewhere.

    Args:
        challenges: that were answered.
        answers: who was asked what, and when.
        codes: (A,), of `answer_codes`.
        candidate: (C,), of `candidate_codes`.
        repeats: (C,), how often each challenge is in the resampled sequence.
        members: of the slices.

    Returns:
        (M, S + 1), 0..1, the last column with the candidate's answers everywhere; and (M,), how
        many answers each mean is of.
    """
    rewards, asked = np.zeros((answers.count, members.count + 1)), np.zeros(answers.count)
    _score_all(
        answers.starts,
        answers.challenge,
        codes,
        candidate,
        answers.prediction,
        challenges.labels,
        challenges.exponents,
        repeats,
        members.starts,
        members.numbers,
        _SCORING.accuracy_window,
        _SCORING.alpha,
        empty_histories(1, _SCORING.metrics_window),
        rewards,
        asked,
    )
    return rewards, asked


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
    slice_starts: NDArray[np.int64],
    slices: Integers,
    short: int,
    alpha: float,
    history: Histories,
    rewards: Floats,
    asked: Floats,
) -> None:
    """Fill `rewards`, (M, S + 1), with means, and `asked`, (M,), with how many each is of."""
    count = rewards.shape[1]
    rings = np.zeros((history.predictions.shape[1], count), np.int32)
    for answerer in range(len(starts) - 1):
        first = starts[answerer]
        while first < starts[answerer + 1]:
            last = history_end(codes, first, starts[answerer + 1])
            order = resampled(challenge, codes, repeats, first, last)
            sent = challenge[order]
            own, swapped, powers = codes[order], candidate[sent], exponents[sent]
            sums = np.zeros(count)
            _score_history(own, swapped, powers, sent, slice_starts, slices, short, rings, sums)
            if has_flag(own, NEITHER_CLASS):
                given = (predictions[order], labels[sent], powers, sent, slice_starts, slices)
                _score_odd_slices(own, swapped, *given, short, alpha, history, sums)
            rewards[answerer] += sums
            asked[answerer] += len(order)
            first = last
        rewards[answerer] /= max(1.0, asked[answerer])


@compiled
def _score_history(
    codes: Codes,
    candidate: Codes,
    exponents: NDArray[np.int8],
    sent: Integers,
    slice_starts: NDArray[np.int64],
    slices: Integers,
    short: int,
    rings: NDArray[np.int32],
    sums: Floats,
) -> None:
    """Add the rewards of one history to `sums`, (S + 1,)."""
    rings[:] = 0
    size, count = rings.shape
    counts = np.zeros((2, count), np.int32)
    added, bases, earned = np.empty(count, np.int32), np.empty(count), np.empty(count)
    slot = 0
    for index in range(len(codes)):
        leaving = slot - short if slot >= short else slot - short + size
        own = _INCREMENTS[codes[index] & OUTCOME]
        swapped = _INCREMENTS[candidate[index] & OUTCOME]
        in_slices = slices[slice_starts[sent[index]] : slice_starts[sent[index] + 1]]
        added[:] = swapped
        if own != swapped:
            for number in in_slices:
                added[number] = own
        _push(added, rings[leaving], rings[slot], counts[0], counts[1], bases)
        slot = slot + 1 if slot + 1 < size else 0
        earned[:] = bases
        for _ in range(exponents[index] - 1):
            for number in range(count):
                earned[number] *= bases[number]
        if not codes[index] & PAID:
            for number in in_slices:
                earned[number] = 0.0
        for number in range(count):
            sums[number] += earned[number]


@compiled
def _push(
    added: NDArray[np.int32],
    leaving: NDArray[np.int32],
    oldest: NDArray[np.int32],
    in_long: NDArray[np.int32],
    in_short: NDArray[np.int32],
    bases: Floats,
) -> None:
    """Push an answer through the windows of each slice; fills the rewards before their power.

    The same value as `metrics.mcc` and `metrics.accuracy` give: all before root and quotients is
    exact, in integers here and in floats there. The casts keep it in 32 bits, eight at a time.
    """
    for number in range(len(bases)):
        in_short[number] = np.int32(in_short[number] + added[number] - leaving[number])
        in_long[number] = np.int32(in_long[number] + added[number] - oldest[number])
        oldest[number] = added[number]
        packed = in_long[number]
        total = np.int32(packed >> (3 * _BITS))
        actual = np.int32((packed >> (2 * _BITS)) & _MASK)
        predicted = np.int32((packed >> _BITS) & _MASK)
        hits = np.int32(packed & _MASK)
        covariance = np.int32(2 * (total * hits - actual * predicted))
        label_spread = np.int32(2 * actual * (total - actual))
        class_spread = np.int32(2 * predicted * (total - predicted))
        spread = np.int32(label_spread * class_spread)
        mcc = np.float64(covariance) / np.sqrt(np.float64(spread)) if spread > 0 else 0.0
        packed = in_short[number]
        total = np.int32(packed >> (3 * _BITS))
        actual = np.int32((packed >> (2 * _BITS)) & _MASK)
        predicted = np.int32((packed >> _BITS) & _MASK)
        hits = np.int32(packed & _MASK)
        correct = np.int32(total - actual - predicted + 2 * hits)
        accuracy = np.float64(correct) / np.float64(total) if total > 0 else 0.0
        bases[number] = 0.5 * max(0.0, mcc) + 0.5 * accuracy


@compiled
def _score_odd_slices(
    codes: Codes,
    candidate: Codes,
    predictions: Floats,
    labels: NDArray[np.int8],
    exponents: NDArray[np.int8],
    sent: Integers,
    slice_starts: NDArray[np.int64],
    slices: Integers,
    short: int,
    alpha: float,
    history: Histories,
    sums: Floats,
) -> None:
    """Set `sums` of the slices that hold answers of neither class, which no packed count holds."""
    for number in range(len(sums) - 1):
        mixed_codes, mixed, odd = candidate.copy(), np.empty(len(codes)), False
        for index in range(len(codes)):
            mixed[index] = 1.0 if candidate[index] & POSITIVE_ANSWER else 0.0
            for member in slices[slice_starts[sent[index]] : slice_starts[sent[index] + 1]]:
                if member == number:
                    mixed[index], mixed_codes[index] = predictions[index], codes[index]
                    odd |= codes[index] & NEITHER_CLASS > 0
        if odd:
            history.hotkeys[0] = -1
            sums[number] = score_with_neither(
                mixed_codes, mixed, labels, exponents, short, alpha, history
            )[0]
