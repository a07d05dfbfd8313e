"""Chains and lives: streams put together by their scores, hotkeys and runs.

A chain is streams of which each goes on where the one before ends, as scores show. A life is all
chains of one hotkey or of one run.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from analytics.lives.score_links import links
from analytics.lives.streams import Stream
from analytics.scoring.ema_rule import EmaRule, Float32s
from data.records.eras import ERAS

_RESTARTING = frozenset(era.name for era in ERAS if era.restarts_scores)


def lives_of(rule: EmaRule, streams: Sequence[Stream]) -> list[list[list[Stream]]]:
    """Lives in order of their beginning; a life is chains in order, a chain streams in order.

    Args:
        rule: of the scores.
        streams: in order of time, as far as that is known.
    """
    joins = _Joins(streams)
    if streams:
        ends = np.stack([stream.last for stream in streams])
        starts = np.stack([stream.first for stream in streams])
        best_first = links(rule, ends, starts)
        for end, start in zip(best_first.ends.tolist(), best_first.starts.tolist(), strict=True):
            joins.connect(end, start)
        _connect_restarts(streams, joins)
    lives: dict[int, list[list[Stream]]] = {}
    for start in range(len(streams)):
        if joins.is_first(start):
            lives.setdefault(joins.life(start), []).append(
                [streams[index] for index in joins.chain(start)]
            )
    return list(lives.values())


def _connect_restarts(streams: Sequence[Stream], joins: "_Joins") -> None:
    """Connect streams that begin with scores of 0 because their validator's process restarted.

    In early eras every process starts with scores of 0, but histories survive: the same chain.
    Where a stream could follow ends of several lives, it stays apart.
    """
    free: dict[str | None, list[int]] = {}
    for end in range(len(streams)):
        if joins.is_last(end):
            free.setdefault(joins.hotkey(end), []).append(end)
    for start, stream in enumerate(streams):
        if stream.era in _RESTARTING and not stream.fresh and _is_zero(stream.first):
            _connect_restart(start, free, joins)


def _connect_restart(start: int, free: dict[str | None, list[int]], joins: "_Joins") -> None:
    """Let one stream follow the last free end before it, of its hotkey's life or else of none's.

    `free` are ends that nothing follows, by hotkey and in order.
    """
    for hotkey in dict.fromkeys((joins.hotkey(start), None)):
        if not joins.is_first(start):
            return
        ends = free.get(hotkey, [])
        before = bisect_left(ends, start)
        if len({joins.life(end) for end in ends[:before]}) > 1:
            continue
        for index in reversed(range(before)):
            if joins.connect(ends[index], start):
                del ends[index]
                break


def _is_zero(scores: Float32s) -> bool:
    known = scores[~np.isnan(scores)]
    return len(known) > 0 and not known.any()


class _Joins:
    """Which stream follows which, and which belong to one life; never two hotkeys' to one.

    Lives are disjoint sets of stream indices: each index leads to an earlier one of its set, the
    first one stands for the set. (`scipy.cluster.hierarchy.DisjointSet` gives the same sets, but
    its import costs every command half a second.)
    """

    def __init__(self, streams: Sequence[Stream]) -> None:
        count = len(streams)
        self._after: dict[int, int] = {}
        self._followers: set[int] = set()
        # of a chain: its first stream by its last, and its last by its first
        self._first, self._last = list(range(count)), list(range(count))
        self._parent = list(range(count))
        self._hotkeys = [stream.hotkey for stream in streams]
        before: dict[str, int] = {}
        for index, stream in enumerate(streams):
            if stream.hotkey is not None:
                same = f"hotkey {stream.hotkey}"
                self._unite(before.setdefault(same, index), index)
            if stream.run is not None and stream.run_has_id:
                # folders of one name may be two validators' runs
                same = f"run {stream.run} of {stream.hotkey}"
                self._unite(before.setdefault(same, index), index)

    def life(self, stream: int) -> int:
        """The index of the stream that stands for the life of a stream."""
        while self._parent[stream] != stream:
            self._parent[stream] = self._parent[self._parent[stream]]
            stream = self._parent[stream]
        return stream

    def hotkey(self, stream: int) -> str | None:
        """The hotkey of the life that a stream belongs to."""
        return self._hotkeys[self.life(stream)]

    def is_first(self, stream: int) -> bool:
        """Whether a chain begins with this stream."""
        return stream not in self._followers

    def is_last(self, stream: int) -> bool:
        """Whether a chain ends with this stream."""
        return stream not in self._after

    def chain(self, first: int) -> list[int]:
        """The streams of a chain in order, from its first."""
        path = [first]
        while path[-1] in self._after:
            path.append(self._after[path[-1]])
        return path

    def connect(self, end: int, start: int) -> bool:
        """Let `start` follow `end` if both are free, no circle results and they can be one's."""
        circle = self._first[end] == start
        if not (self.is_last(end) and self.is_first(start)) or circle:
            return False
        if not self._unite(end, start):
            return False
        self._after[end] = start
        self._followers.add(start)
        first, last = self._first[end], self._last[start]
        self._first[last], self._last[first] = first, last
        return True

    def _unite(self, stream: int, other: int) -> bool:
        """Make two streams' lives one, unless they are of different hotkeys."""
        older, younger = sorted((self.life(stream), self.life(other)))
        hotkeys = {self._hotkeys[older], self._hotkeys[younger]} - {None}
        if len(hotkeys) > 1:
            return False
        self._parent[younger] = older
        self._hotkeys[older] = next(iter(hotkeys), None)
        return True
