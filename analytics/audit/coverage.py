"""Coverage: for which answers the log holds the whole window, so that their numbers can be checked.

A stretch is a miner's answers after a known kind of start. From its hundredth answer on the window
is covered whatever came before. Before that, the stretch must start with an empty history: because
the hotkey changed within the log, or because its first numbers prove it.

The proof: while all answers in the window are right (or all wrong), numbers that agree with an
empty start leave room only for hidden answers that are all right (or all wrong). Once right and
wrong ones are mixed, each hidden answer would shift accuracy; if it still agrees, there is none.
"""

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.audit.ema_gaps import Interruption
from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import HotkeyChange

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class StretchStart(IntEnum):
    """How a stretch starts."""

    EMPTY = 0
    """With an empty history."""
    FIRST = 1
    """At the first answer of a uid in the log."""
    LATER = 2
    """The same, but its numbers show that its history had started earlier."""
    AFTER_GAP = 3
    """After a gap that may hide answers, under the same hotkey."""
    NEW_HOTKEY_AFTER_GAP = 4
    BROKEN = 5
    """Where numbers agree among themselves but not with the answers in the log."""


class Evidence(IntFlag):
    """What an answer's logged numbers say of the window that the log shows.

    Compiled loops take `.value`: Numba has no operators of flags.
    """

    AGREES = 1
    """They are the window's."""
    ONE_SIDED = 2
    """All answers in the window are right, or all are wrong."""
    MIXED = 4
    CONTRADICTS = 8
    """They come from a window with other answers."""


_NOBODY = _NO_START = -1
_FEW = 0.05


class Stretches(NamedTuple):
    """The stretches so far, changed in place by `add_to_stretches`.

    By uid: the present stretch (-1: none), its answers so far, and whether a gap may hide one. By
    stretch: its `StretchStart`, whether numbers agreed while one-sided, whether they proved an
    empty start, whether they contradicted it first. `used` (1,): how many stretches there are.
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
    """The state before any answer."""
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
    """The same with room for the stretches that further answers can start: two each."""
    more = max(0, int(stretches.used[0]) + 2 * answers - len(stretches.starts))
    names = ("starts", "agreed", "proven", "refuted")
    return stretches._replace(
        **{name: np.pad(getattr(stretches, name), (0, more)) for name in names}
    )


@compiled
def hotkey_changes(
    last: Ints, records: Ints, uids: Ints, hotkeys: Ints, by_record: NDArray[np.int8]
) -> NDArray[np.int8]:
    """The `HotkeyChange` of each answer since the uid's answer before, (n,).

    Args:
        last: (uids,) hotkey numbers, -1 before the first; changed in place.
        records: (n,) of each answer.
        uids: (n,) of each answer.
        hotkeys: (n,) of each answer.
        by_record: (records, uids), filled with the same.
    """
    changes = np.zeros(len(uids), np.int8)
    for n in range(len(uids)):
        uid = uids[n]
        if last[uid] == _NOBODY:
            changes[n] = HotkeyChange.FIRST_SEEN
        elif last[uid] != hotkeys[n]:
            changes[n] = HotkeyChange.CHANGED
        last[uid] = hotkeys[n]
        by_record[records[n], uid] = max(by_record[records[n], uid], changes[n])
    return changes


@compiled
def add_to_stretches(
    stretches: Stretches,
    interruptions: NDArray[np.int8],
    hidden: Bools,
    bounds: Ints,
    uids: Ints,
    changes: NDArray[np.int8],
    evidence: NDArray[np.int8],
    window: int,
    from_start: bool,
) -> tuple[Ints, Ints]:
    """Add the n answers of some records to stretches, with what their numbers prove.

    Args:
        stretches: as they were, `with_room` for n more answers.
        interruptions: (records,), `ema_gaps.Interruption`s.
        hidden: (records, uids), which uids a gap before the record may have asked.
        bounds: (records + 1,), where each record's answers start.
        uids: (n,), in order.
        changes: (n,), see `hotkey_changes`.
        evidence: (n,), `Evidence`.
        window: answers in the long window.
        from_start: every history is known to start empty, and nothing is hidden.

    Returns:
        Stretch of each answer and its ordinal in it from 1 on, (n,) each.
    """
    numbers, ordinals = np.empty(len(uids), np.int64), np.empty(len(uids), np.int64)
    for record in range(len(interruptions)):
        if interruptions[record] != Interruption.NONE and not from_start:
            stretches.hidden[:] |= hidden[record]
        for n in range(bounds[record], bounds[record + 1]):
            uid = uids[n]
            start = _start(stretches, uid, changes[n], from_start)
            if start != _NO_START:
                _begin(stretches, uid, start)
            stretches.hidden[uid] = False
            contradicts = (evidence[n] & Evidence.CONTRADICTS.value) != 0 and not from_start
            if contradicts and _may_be_covered(stretches, uid, window):
                _restart_contradicted(stretches, uid)
            stretches.answers[uid] += 1
            if stretches.answers[uid] < window:
                _add_evidence(stretches, stretches.present[uid], evidence[n])
            numbers[n], ordinals[n] = stretches.present[uid], stretches.answers[uid]
    return numbers, ordinals


@compiled
def _start(stretches: Stretches, uid: int, change: int, from_start: bool) -> int:
    """The `StretchStart` if this answer starts a stretch; -1 if it belongs to the present one."""
    if stretches.present[uid] == _NOBODY:
        if from_start:
            return StretchStart.EMPTY
        return StretchStart.NEW_HOTKEY_AFTER_GAP if stretches.hidden[uid] else StretchStart.FIRST
    if stretches.hidden[uid]:
        same = change == HotkeyChange.SAME
        return StretchStart.AFTER_GAP if same else StretchStart.NEW_HOTKEY_AFTER_GAP
    return StretchStart.EMPTY if change == HotkeyChange.CHANGED else _NO_START


@compiled
def _begin(stretches: Stretches, uid: int, start: int) -> None:
    number = stretches.used[0]
    stretches.used[0] += 1
    stretches.present[uid] = number
    stretches.answers[uid] = 0
    stretches.starts[number] = start


@compiled
def _may_be_covered(stretches: Stretches, uid: int, window: int) -> bool:
    """Whether the next answer's window would count as covered, now or once proven."""
    start = stretches.starts[stretches.present[uid]]
    starts = (StretchStart.EMPTY, StretchStart.FIRST, StretchStart.NEW_HOTKEY_AFTER_GAP)
    return start in starts or stretches.answers[uid] + 1 >= window


@compiled
def _restart_contradicted(stretches: Stretches, uid: int) -> None:
    """Start a new stretch at an answer whose numbers contradict the present one."""
    present = stretches.present[uid]
    start, proven = stretches.starts[present], stretches.proven[present]
    stretches.refuted[present] = not proven
    if start == StretchStart.FIRST and not proven:
        _begin(stretches, uid, StretchStart.LATER)
    elif start == StretchStart.NEW_HOTKEY_AFTER_GAP and not proven:
        _begin(stretches, uid, StretchStart.AFTER_GAP)
    else:
        _begin(stretches, uid, StretchStart.BROKEN)


@compiled
def _add_evidence(stretches: Stretches, number: int, evidence: int) -> None:
    # for other starts it is known whether the history was empty
    open_start = stretches.starts[number] in (
        StretchStart.FIRST,
        StretchStart.NEW_HOTKEY_AFTER_GAP,
    )
    if open_start and evidence & Evidence.AGREES.value:
        if evidence & Evidence.ONE_SIDED.value:
            stretches.agreed[number] = True
        if evidence & Evidence.MIXED.value and stretches.agreed[number]:
            stretches.proven[number] = True


def covered(
    stretches: Stretches, numbers: Ints, ordinals: Ints, *, window: int, complete: bool
) -> Bools:
    """Whether the log holds the whole window of each answer, (n,).

    Args:
        stretches: after all answers were added.
        numbers: stretch of each answer, (n,).
        ordinals: of each answer in its stretch, from 1 on, (n,).
        window: answers in the long window.
        complete: the log starts with the validator's first challenge.
    """
    start = stretches.starts[numbers]
    known = (start == StretchStart.EMPTY) | stretches.proven[numbers]
    if complete:
        known = known | (start == StretchStart.FIRST)
    result: Bools = known | (ordinals >= window)
    return result


def first_answers_agree(stretches: Stretches) -> bool:
    """Whether the numbers of the uids' first stretches agree with histories that all start empty.

    A few may not: after a gap that no score shows, or where numbers were changed.
    """
    first = stretches.starts == StretchStart.FIRST
    first[int(stretches.used[0]) :] = False
    refuted = np.count_nonzero(first & stretches.refuted)
    return bool(refuted <= _FEW * np.count_nonzero(first & stretches.proven))
