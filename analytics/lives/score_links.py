"""Links between streams: which stream goes on where another one ends, found by scores.

A follower's first scores are the end's last ones, moved on by the EMA rule over a gap of a few
records at most, apart from those of uids that were asked meanwhile. So followers are looked up by
the exact values that an end's scores become: the work grows with the number of streams, not with
its square.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import EmaRule, Float32s, step

LONGEST_GAP = 16
"""Records from an end to its follower, at most."""
_LEAST_SHARE = 0.25
_LEAST_SCORES = 3
# most scores looked up of an end, followers looked at of a value, and kept of an end
_LOOKED_UP, _OF_VALUE, _OF_END = 64, 32, 16

Indices = NDArray[np.int64]


class Links(NamedTuple):
    """Possible links, the best first, (n,) each: index of the stream that ends, of the follower.

    The best has the largest share of scores that go on; of equal ones the one over which the fewest
    scores moved, then the one nearest in order.
    """

    ends: Indices
    starts: Indices


def links(rule: EmaRule, ends: Float32s, starts: Float32s) -> Links:
    """The possible links among streams, which are in order of time as far as that is known.

    Args:
        rule: of the scores.
        ends: (streams, uids), scores of each stream's last record, NaN where not logged.
        starts: (streams, uids), of each stream's first record, NaN also for uids that it asked.
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
    ending, following = np.nonzero(known)[0], followers[known]
    moved = _moved(rule, ends, starts, ending, following)
    distance = np.abs(following - ending - 1)
    best = np.lexsort((following, ending, distance, moved, -shares[known]))
    return Links(ending[best], following[best])


@compiled
def _moved(
    rule: EmaRule, ends: Float32s, starts: Float32s, ending: Indices, following: Indices
) -> Indices:
    """By link, how many uids' scores are not those of unasked uids one record later, (n,).

    A miner that was asked and earned nothing decays like a validator, so that by its share alone
    the second record after an end may look like the first.
    """
    counts = np.zeros(len(ending), np.int64)
    for link in range(len(ending)):
        end, start = ends[ending[link]], starts[following[link]]
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
    """Fill `followers` and `shares`, (streams, `_OF_END`); -1 and 0 stay where there is none."""
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
    """The range of a value in a uid's sorted values; of many equal ones those next to `near`."""
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
    """Keep the followers with most votes, of equal ones the nearest, with their shares."""
    kept = np.empty(len(followers), np.int64)
    count = 0
    for start in touched:
        rank = count
        while rank > 0 and (
            votes[kept[rank - 1]] < votes[start]
            or (
                votes[kept[rank - 1]] == votes[start]
                and abs(kept[rank - 1] - end - 1) > abs(start - end - 1)
            )
        ):
            rank -= 1
        if rank == len(kept):
            continue
        count = min(count + 1, len(kept))
        for later in range(count - 1, rank, -1):
            kept[later] = kept[later - 1]
        kept[rank] = start
    for rank in range(count):
        followers[rank] = kept[rank]
        shares[rank] = _share(rule, ends[end], starts[kept[rank]])


@compiled
def _share(rule: EmaRule, end: Float32s, start: Float32s) -> float:
    """Share of an end's known scores that go on in a start, 0..1; 0 if too few are known.

    Over a gap those of uids that were not asked in it go on.
    """
    known, going_on = 0, 0
    for uid in range(len(end)):
        old, new = end[uid], start[uid]
        if old > 0 and not np.isnan(new):
            known += 1
            going_on += _goes_on(rule, old, new)
            if known == 4 * _LEAST_SCORES and going_on == 0:
                return 0.0
    return going_on / known if known >= _LEAST_SCORES else 0.0


@compiled
def _goes_on(rule: EmaRule, old: np.float32, new: np.float32) -> bool:
    kept, decayed = old, old
    for _ in range(LONGEST_GAP):
        kept, decayed = step(rule, kept, kept), step(rule, decayed, np.float32(0))
        if new in (kept, decayed):
            return True
    return False
