"""Which chain of a log goes on where another one ends, told by scores.

A true follower's scores are those of the end, moved on by the law of `score_law` over a hole of a
few records at most, but for the uids that were asked meanwhile. So followers are looked up by the
exact values that an end's scores become: the work grows with the number of streams, not with its
square.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import EmaRule, Float32s, step

LONGEST_GAP = 16
_LEAST_SHARE = 0.25
_LEAST_SCORES = 3
# Scores that are looked up of each end, followers looked at of each value, and of each end.
_LOOKED_UP, _OF_VALUE, _OF_END = 64, 32, 16

Indices = NDArray[np.int64]


class Links(NamedTuple):
    """Possible links, (n,) each: the stream that ends, the one that follows, and the share, 0..1,
    of scores that go on; the best first. Of equal ones those come first over which the
    fewest scores moved, then those nearest in order.
    """

    ends: Indices
    starts: Indices
    shares: NDArray[np.float64]


def links(rule: EmaRule, ends: Float32s, starts: Float32s) -> Links:
    """The links among streams in order of time, as far as that is known.

    Args:
        rule: of the scores.
        ends: (streams, uids), scores of each one's last record, NaN where not logged.
        starts: (streams, uids), of each one's first, NaN also for those that it asked.
    """
    order = np.argsort(starts, axis=0, kind="stable")  # NaN comes last
    values = np.take_along_axis(starts, order, axis=0)
    logged = np.count_nonzero(~np.isnan(starts), axis=0)
    shares = np.zeros((len(ends), _OF_END))
    followers = np.full((len(ends), _OF_END), -1, np.int64)
    if ends.shape[1]:
        columns = (np.ascontiguousarray(values.T), np.ascontiguousarray(order.T))
        _look_up(rule, ends, starts, *columns, logged, followers, shares)
    known = shares >= _LEAST_SHARE
    found = np.nonzero(known)[0]
    following, going_on = followers[known], shares[known]
    moved = _moved(rule, ends, starts, found, following)
    best = np.lexsort((following, found, np.abs(following - found - 1), moved, -going_on))
    return Links(found[best], following[best], going_on[best])


@compiled
def _moved(
    rule: EmaRule, ends: Float32s, starts: Float32s, found: Indices, following: Indices
) -> Indices:
    """(n,), of each link the uids whose score is not that of a uid that nobody asked since.

    A miner that was asked and earned nothing decays like a validator, so that a share alone may
    take the second record after an end for the first.
    """
    counts = np.zeros(len(found), np.int64)
    for link in range(len(found)):
        end, start = ends[found[link]], starts[following[link]]
        for uid in range(len(end)):
            old, new = end[uid], start[uid]
            if not (np.isnan(old) or np.isnan(new)):
                counts[link] += new != step(rule, old, old)
    return counts


@compiled
def _look_up(
    rule: EmaRule,
    ends: Float32s,
    starts: Float32s,
    values: Float32s,
    order: Indices,
    logged: Indices,
    followers: Indices,
    shares: NDArray[np.float64],
) -> None:
    """Fill `followers` and `shares`, (streams, at most so many), -1 and 0 where there is none."""
    count, uids = ends.shape
    votes = np.zeros(count, np.int64)
    last_vote = np.full(count, -1, np.int64)
    touched = np.empty(count, np.int64)
    for end in range(count):
        positive = 0
        for uid in range(uids):
            positive += ends[end, uid] > 0
        stride = max(1, positive // _LOOKED_UP)
        seen, filled = 0, 0
        for uid in range(uids):
            if not ends[end, uid] > 0:
                continue
            seen += 1
            if seen % stride:
                continue
            kept = decayed = ends[end, uid]
            for moved in range(LONGEST_GAP):
                before = kept
                kept, decayed = step(rule, kept, kept), step(rule, decayed, np.float32(0))
                for value in (kept, decayed):
                    # a kept score soon stays what it is
                    if moved and value == before:
                        continue
                    column = values[uid, : logged[uid]]
                    low, high = _range(column, order[uid], value, end + 1)
                    for at in range(low, high):
                        start = order[uid, at]
                        if start == end or last_vote[start] == end * uids + uid:
                            continue
                        if votes[start] == 0:
                            touched[filled] = start
                            filled += 1
                        votes[start] += 1
                        last_vote[start] = end * uids + uid
        _keep_best(rule, ends, end, starts, touched[:filled], votes, followers[end], shares[end])
        votes[touched[:filled]] = 0


@compiled
def _range(values: Float32s, order: Indices, value: np.float32, near: int) -> tuple[int, int]:
    """Where a value stands among a uid's sorted ones; of many equal ones those next to `near`."""
    low = int(np.searchsorted(values, value))
    high = int(np.searchsorted(values, value, side="right"))
    if high - low > _OF_VALUE:
        middle = low + int(np.searchsorted(order[low:high], near))
        low = min(max(low, middle - _OF_VALUE // 2), high - _OF_VALUE)
        high = low + _OF_VALUE
    return low, high


@compiled
def _keep_best(
    rule: EmaRule,
    ends: Float32s,
    end: int,
    starts: Float32s,
    touched: Indices,
    votes: Indices,
    followers: Indices,
    shares: NDArray[np.float64],
) -> None:
    """Keep those with most votes, the nearest of equal ones, and the share of all their scores."""
    kept = np.empty(len(followers), np.int64)
    count = 0
    for start in touched:
        place = count
        while place > 0 and (
            votes[kept[place - 1]] < votes[start]
            or (
                votes[kept[place - 1]] == votes[start]
                and abs(kept[place - 1] - end - 1) > abs(start - end - 1)
            )
        ):
            place -= 1
        if place == len(kept):
            continue
        count = min(count + 1, len(kept))
        for later in range(count - 1, place, -1):
            kept[later] = kept[later - 1]
        kept[place] = start
    for place in range(count):
        followers[place] = kept[place]
        shares[place] = _share(rule, ends[end], starts[kept[place]])


@compiled
def _share(rule: EmaRule, end: Float32s, start: Float32s) -> float:
    """How many of the known scores go on, 0..1; over a hole those of uids that it did not ask.

    0 where too few scores can tell.
    """
    known, found = 0, 0
    for uid in range(len(end)):
        old, new = end[uid], start[uid]
        if old > 0 and not np.isnan(new):
            known += 1
            found += _goes_on(rule, old, new)
            if known == 4 * _LEAST_SCORES and found == 0:
                return 0.0
    return found / known if known >= _LEAST_SCORES else 0.0


@compiled
def _goes_on(rule: EmaRule, old: np.float32, new: np.float32) -> bool:
    kept, decayed = old, old
    for _ in range(LONGEST_GAP):
        kept, decayed = step(rule, kept, kept), step(rule, decayed, np.float32(0))
        if new in (kept, decayed):
            return True
    return False
