"""Of which answers the log holds the whole window: only there can metrics and rewards be checked.

A stretch is a miner's answers from a known kind of start on. From the hundredth answer of a stretch
the window is covered whatever came before. Before that, a stretch must start with an empty history:
because the hotkey changed before our eyes, or because its first numbers prove it.

The proof: while all answers that a window holds are right (or all wrong), numbers that agree with
an empty start leave room only for hidden answers that are all right (or all wrong). Once seen ones
are mixed, each hidden one would shift accuracy; if it agrees, there is none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.audit.ema_gaps import NOTHING
from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import CHANGED, FIRST_SEEN, SAME

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# how a stretch starts: with an empty history; at the first answer of a uid, or where that turns out
# to be one of a longer history; after a hole, under the same hotkey or under a new one; where
# numbers agree among themselves but not with the answers seen
EMPTY, FIRST, LATER, AFTER_GAP, RENEWED, BROKEN = range(6)
# what an answer's logged numbers say of an empty start, as bits
AGREES, ONE_SIDED, MIXED, CONTRADICTS = 1, 2, 4, 8

_NOBODY = -1
_FEW = 0.05


class Stretches(NamedTuple):
    """By uid: the present stretch (-1: none), its answers so far, and whether a hole may hold one.

    By stretch: how it starts, whether numbers agreed while one-sided, whether they proved an empty
    start, whether they contradicted it first. `used` (1,) stretches.
    """

    present: Ints
    answers: Ints
    hidden: Bools
    starts: NDArray[np.int8]
    agreed: Bools
    proven: Bools
    refuted: Bools
    used: Ints


def no_stretches(uids: int) -> Stretches:
    """Nobody has answered yet."""
    nothing = np.zeros(0, np.bool_)
    return Stretches(
        present=np.full(uids, _NOBODY, np.int64),
        answers=np.zeros(uids, np.int64),
        hidden=np.zeros(uids, np.bool_),
        starts=np.zeros(0, np.int8),
        agreed=nothing,
        proven=nothing,
        refuted=nothing,
        used=np.zeros(1, np.int64),
    )


def with_room(stretches: Stretches, answers: int) -> Stretches:
    """The same with room for what so many further answers can start: two stretches each."""
    grown = {
        name: np.concatenate([kept, np.zeros(max(0, missing), kept.dtype)])
        for name in ("starts", "agreed", "proven", "refuted")
        for kept in [getattr(stretches, name)]
        for missing in [int(stretches.used[0]) + 2 * answers - len(kept)]
    }
    return stretches._replace(**grown)


@compiled
def hotkey_changes(
    last: Ints, records: Ints, uids: Ints, hotkeys: Ints, found: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Whether each answer's hotkey is another one than at the uid's answer before, (n,).

    Args:
        last: (uids,) hotkey numbers, -1 before the first; changed in place.
        records: (n,) of each answer.
        uids: (n,) of each answer.
        hotkeys: (n,) of each answer.
        found: (records, uids), filled with the same by record.
    """
    changes = np.zeros(len(uids), np.int8)
    for n in range(len(uids)):
        uid = uids[n]
        if last[uid] == _NOBODY:
            changes[n] = FIRST_SEEN
        elif last[uid] != hotkeys[n]:
            changes[n] = CHANGED
        last[uid] = hotkeys[n]
        found[records[n], uid] = max(found[records[n], uid], changes[n])
    return changes


@compiled
def stretch(
    stretches: Stretches,
    events: NDArray[np.int8],
    hidden: Bools,
    bounds: Ints,
    uids: Ints,
    changes: NDArray[np.int8],
    evidence: NDArray[np.int8],
    window: int,
    from_start: bool,
) -> tuple[Ints, Ints]:
    """Lay n answers of some records out in stretches, and weigh what their numbers prove.

    Args:
        stretches: as they were, `with_room` for n more answers.
        events: (records,), see `ema_gaps`.
        hidden: (records, uids), whom a hole before the record may have asked.
        bounds: (records + 1,), where each record's answers start.
        uids: (n,), in order.
        changes: (n,), see `hotkey_changes`.
        evidence: (n,), bits of AGREES, ONE_SIDED, MIXED, CONTRADICTS.
        window: answers in the long window.
        from_start: every history is known to start empty, and nothing is hidden.

    Returns:
        Stretch and 1-based place in it of each answer, (n,) each.
    """
    numbers, places = np.empty(len(uids), np.int64), np.empty(len(uids), np.int64)
    for record in range(len(events)):
        if events[record] != NOTHING and not from_start:
            stretches.hidden[:] |= hidden[record]
        for n in range(bounds[record], bounds[record + 1]):
            uid = uids[n]
            start = _start(stretches, uid, changes[n], from_start)
            if start != _NOBODY:
                _begin(stretches, uid, start)
            stretches.hidden[uid] = False
            contradicts = (evidence[n] & CONTRADICTS) != 0 and not from_start
            if contradicts and _may_be_covered(stretches, uid, window):
                _restart_contradicted(stretches, uid)
            stretches.answers[uid] += 1
            if stretches.answers[uid] < window:
                _add_evidence(stretches, stretches.present[uid], evidence[n])
            numbers[n], places[n] = stretches.present[uid], stretches.answers[uid]
    return numbers, places


@compiled
def _start(stretches: Stretches, uid: int, change: int, from_start: bool) -> int:
    """How the stretch starts that this answer begins; -1 if it goes on with the present one."""
    if stretches.present[uid] == _NOBODY:
        if from_start:
            return EMPTY
        return RENEWED if stretches.hidden[uid] else FIRST
    if stretches.hidden[uid]:
        return AFTER_GAP if change == SAME else RENEWED
    return EMPTY if change == CHANGED else _NOBODY


@compiled
def _begin(stretches: Stretches, uid: int, start: int) -> None:
    number = stretches.used[0]
    stretches.used[0] += 1
    stretches.present[uid] = number
    stretches.answers[uid] = 0
    stretches.starts[number] = start


@compiled
def _may_be_covered(stretches: Stretches, uid: int, window: int) -> bool:
    """Whether the next answer's window would count as covered, or may yet be proven to be."""
    start = stretches.starts[stretches.present[uid]]
    return start in (EMPTY, FIRST, RENEWED) or stretches.answers[uid] + 1 >= window


@compiled
def _restart_contradicted(stretches: Stretches, uid: int) -> None:
    present = stretches.present[uid]
    start, proven = stretches.starts[present], stretches.proven[present]
    stretches.refuted[present] = not proven
    if start == FIRST and not proven:
        _begin(stretches, uid, LATER)
    elif start == RENEWED and not proven:
        _begin(stretches, uid, AFTER_GAP)
    else:
        _begin(stretches, uid, BROKEN)


@compiled
def _add_evidence(stretches: Stretches, number: int, evidence: int) -> None:
    # elsewhere an empty start is known, or known to be none
    if stretches.starts[number] in (FIRST, RENEWED) and evidence & AGREES:
        if evidence & ONE_SIDED:
            stretches.agreed[number] = True
        if evidence & MIXED and stretches.agreed[number]:
            stretches.proven[number] = True


def covered(
    stretches: Stretches, numbers: Ints, places: Ints, window: int, whole_life: bool
) -> Bools:
    """Whether the log holds the whole window of each answer, (n,).

    Args:
        stretches: after all answers were laid out.
        numbers: stretch of each answer, (n,).
        places: 1-based place in it, (n,).
        window: answers in the long window.
        whole_life: the log starts with the validator's first challenge.
    """
    start = stretches.starts[numbers]
    known = (start == EMPTY) | stretches.proven[numbers]
    if whole_life:
        known = known | (start == FIRST)
    result: Bools = known | (places >= window)
    return result


def first_answers_agree(stretches: Stretches) -> bool:
    """Whether the numbers of the uids' first stretches speak for histories that all start empty.

    A few may not: a hole that no score shows, or numbers that were changed.
    """
    first = stretches.starts == FIRST
    first[int(stretches.used[0]) :] = False
    refuted = np.count_nonzero(first & stretches.refuted)
    return bool(refuted <= _FEW * np.count_nonzero(first & stretches.proven))
