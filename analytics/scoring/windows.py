"""Sliding windows over the answers of many miners at once, each answer in constant time.

Source: the validator's `MinerPerformanceTracker` (DOMAIN.md §3). Compiled: `compare` pushes tens
of billions of answers through `push`, so counts are kept instead of counted again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.metrics import UNANSWERED, ConfusionCounts

LONG, SHORT = 0, 1
_NEGATIVE, _POSITIVE, _ODD, _NOT_FINITE, _NO_ANSWER = range(5)
_NO_HOTKEY = -1


class Histories(NamedTuple):
    """The last answers of each slot (a miner's uid), changed in place by `push`.

    Rings of the last W answers, `predictions` float64 and `labels` int8, both (slots, W); `asked`
    (slots,) answers so far under the present `hotkeys` (slots,), a number for each hotkey; `tables`
    (slots, window, label, kind of answer) counts both windows; `ordered` (slots,) is twice the
    Mann-Whitney U of the long one: 2 for each pair in the right order, 1 for each tie.
    """

    hotkeys: NDArray[np.int64]
    asked: NDArray[np.int64]
    predictions: NDArray[np.float64]
    labels: NDArray[np.int8]
    tables: NDArray[np.int64]
    ordered: NDArray[np.int64]


def empty_histories(slots: int, window: int) -> Histories:
    """Histories without answers, with windows of the last `window` answers."""
    return Histories(
        hotkeys=np.full(slots, _NO_HOTKEY, np.int64),
        asked=np.zeros(slots, np.int64),
        predictions=np.zeros((slots, window)),
        labels=np.zeros((slots, window), np.int8),
        tables=np.zeros((slots, 2, 2, 5), np.int64),
        ordered=np.zeros(slots, np.int64),
    )


@compiled
def push(
    histories: Histories,
    slot: int,
    hotkey: int,
    prediction: float,
    label: int,
    short: int,
    ranks: bool,
) -> None:
    """Append one answer to a slot's history; another hotkey than last time starts a new one.

    Args:
        histories: as they were.
        slot: whose.
        hotkey: its number, 0 or more.
        prediction: -1 = no answer.
        label: 0 or 1.
        short: answers in the short window, at most those in the long one.
        ranks: whether to keep `ordered`, which costs most: only AUC needs it.
    """
    if histories.hotkeys[slot] != hotkey:
        _clear(histories, slot)
        histories.hotkeys[slot] = hotkey
    asked, size = histories.asked[slot], histories.predictions.shape[1]
    index = asked % size
    if asked >= short:
        _count(histories, slot, SHORT, (asked - short) % size, -1)
    if asked >= size:
        _count(histories, slot, LONG, index, -1)
        if ranks:
            histories.ordered[slot] -= _ordered_pairs(histories, slot, index, size)
    histories.predictions[slot, index] = prediction
    histories.labels[slot, index] = label
    histories.asked[slot] = asked + 1
    _count(histories, slot, SHORT, index, 1)
    _count(histories, slot, LONG, index, 1)
    if ranks:
        histories.ordered[slot] += _ordered_pairs(histories, slot, index, min(asked + 1, size))


@compiled
def window_counts(histories: Histories, slot: int, window: int, length: int) -> ConfusionCounts:
    """Confusion counts of a window; all 0 where scikit-learn raises on it.

    It raises on NaN, on infinities, and on a class outside 0..1, unless labels and classes look
    binary with 1 among them: labels all 1 and at most one other class, which is then simply not 1.
    Its caller logs zeros for what raises, and for a window without an answer.

    Args:
        histories: of all slots.
        slot: whose.
        window: LONG or SHORT.
        length: how many answers that window holds at most.
    """
    table = histories.tables[slot, window]
    hits, misses = int(table[1, _POSITIVE]), int(table[1, _NEGATIVE])
    false_alarms, rest = int(table[0, _POSITIVE]), int(table[0, _NEGATIVE])
    odd, not_finite = int(table[1, _ODD]), int(table[:, _NOT_FINITE].sum())
    odd_negatives = int(table[0, _ODD])
    if odd + odd_negatives + not_finite == 0:
        return ConfusionCounts(hits, false_alarms, misses, rest)
    third = odd_negatives + not_finite + false_alarms + rest + misses > 0
    if third or not _one_odd_class(histories, slot, length):
        return ConfusionCounts(0, 0, 0, 0)
    return ConfusionCounts(hits, 0, odd, 0)


@compiled
def window_auc(histories: Histories, slot: int) -> float:
    """AUC of the long window from its pairs, 0..1; 0 where its answers have one label only."""
    table = histories.tables[slot, LONG]
    pairs = table[0, :_NO_ANSWER].sum() * table[1, :_NO_ANSWER].sum()
    return histories.ordered[slot] / (2 * pairs) if pairs > 0 else 0.0


@compiled
def _clear(histories: Histories, slot: int) -> None:
    histories.asked[slot] = 0
    histories.ordered[slot] = 0
    histories.tables[slot] = 0


@compiled
def _count(histories: Histories, slot: int, window: int, index: int, by: int) -> None:
    kind = _answer_kind(histories.predictions[slot, index])
    histories.tables[slot, window, histories.labels[slot, index], kind] += by


@compiled
def _answer_kind(prediction: float) -> int:
    if prediction == UNANSWERED:
        return _NO_ANSWER
    rounded = np.rint(prediction)  # half to even, as numpy.round
    if rounded == 0.0:
        return _NEGATIVE
    if rounded == 1.0:
        return _POSITIVE
    return _ODD if np.isfinite(rounded) else _NOT_FINITE


@compiled
def _ordered_pairs(histories: Histories, slot: int, index: int, held: int) -> int:
    """What the answer at `index` adds to `ordered`: its pairs with answers of the other label."""
    prediction, label = histories.predictions[slot, index], histories.labels[slot, index]
    if prediction == UNANSWERED:
        return 0
    total = 0
    for other in range(held):
        against = histories.predictions[slot, other]
        if histories.labels[slot, other] != label and against != UNANSWERED:
            ahead = prediction > against if label == 1 else against > prediction
            total += 2 if ahead else int(prediction == against)
    return total


@compiled
def _one_odd_class(histories: Histories, slot: int, length: int) -> bool:
    """Whether the last `length` answers hold a single class beside 0 and 1."""
    asked, size = histories.asked[slot], histories.predictions.shape[1]
    first = np.nan
    for back in range(1, min(asked, length) + 1):
        prediction = histories.predictions[slot, (asked - back) % size]
        if _answer_kind(prediction) == _ODD:
            odd = np.rint(prediction)
            if not np.isnan(first) and odd != first:
                return False
            first = odd
    return True
