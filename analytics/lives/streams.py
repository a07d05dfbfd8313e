"""Streams of a log, what one run or one file holds, put together to chains and to lives.

Within a stream steps or positions tell the order. Between streams the scores do: a chain is all
streams of which each goes on where the one before ends. Whose they are is told by the hotkey in a
run's config; chains of one hotkey, or of one run, are one validator's life.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from analytics.lives.score_links import links
from analytics.lives.score_matrix import MOST_UIDS, list_lengths, score_matrix
from analytics.scoring.ema_rule import EmaRule, Float32s
from analytics.warehouse.statements import statements
from data.records.eras import ERAS

_RESTARTING = frozenset(era.name for era in ERAS if era.restarts_scores)


@dataclass(frozen=True)
class _RunSays:
    """What files say of a run: the validator's hotkey and uid, each None where they do not.

    Without `has_id` the run is named by a downloaded folder, and another run's folder may be too.
    """

    hotkey: str | None = None
    uid: int | None = None
    has_id: bool = True


@dataclass(frozen=True)
class Stream:
    """A run, a file, or a folder of files with a record each; or some `pieces` of it, in order.

    `first` are the scores of its first record, less those of the uids that it asked (NaN), `last`
    those of its last one; both (uids,). `run`, `hotkey` and the validator's `uid` are None where no
    run is known, or none says whose it is; see `_RunSays` for `run_has_id`. A stream is `fresh` if
    its first record holds no history: each miner's accuracy is that of one answer.
    """

    number: int
    pieces: tuple[int, ...]
    time: datetime | None
    file: str
    era: str
    run: str | None
    hotkey: str | None
    uid: int | None
    first: Float32s
    last: Float32s
    fresh: bool = False
    run_has_id: bool = True


def read_streams(connection: duckdb.DuckDBPyConnection) -> list[Stream]:
    """The pieces of streams in order of time, as far as that is known; then by name and place.

    They are in the temporary table `life_pieces`.
    """
    runs = _runs(connection)
    table = connection.sql(statements("analytics/lives/ends")).to_arrow_table()
    column = table["scores"].combine_chunks()
    lengths = list_lengths(column)
    scores = score_matrix(column, int(lengths[lengths <= MOST_UIDS].max(initial=0)))
    rows = table.drop_columns(["scores"]).to_pylist()
    firsts = [place for place, row in enumerate(rows) if row["first"]]
    lasts = [place for place, row in enumerate(rows) if row["last"]]
    streams = [
        Stream(
            number=rows[first]["stream"],
            pieces=(rows[first]["piece"],),
            time=rows[first]["time"],
            file=rows[first]["file"],
            era=rows[first]["era"],
            run=rows[first]["run_id"],
            hotkey=says.hotkey,
            uid=says.uid,
            run_has_id=says.has_id,
            first=_unasked(scores[first], rows[first]["uids"]),
            last=scores[last],
            fresh=rows[first]["fresh"],
        )
        for first, last in zip(firsts, lasts, strict=True)
        for says in [_said(runs, rows[first]["run_id"], rows[first]["segment"])]
    ]
    return sorted(streams, key=_by_time(streams))


def _runs(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int | None], _RunSays]:
    """By run and segment, and by run and None for the whole run."""
    rows = connection.execute(statements("analytics/lives/runs")).fetchall()
    return {(run, segment): _RunSays(*says) for run, segment, *says in rows}


def _said(
    runs: dict[tuple[str, int | None], _RunSays], run: str | None, segment: int | None
) -> _RunSays:
    """Whose a segment is: as its own files say, else as all of its run does."""
    if run is None:
        return _RunSays()
    of_run = runs.get((run, None), _RunSays())
    of_segment = runs.get((run, segment), _RunSays())
    return _RunSays(
        of_run.hotkey if of_segment.hotkey is None else of_segment.hotkey,
        of_run.uid if of_segment.uid is None else of_segment.uid,
        of_run.has_id,
    )


def _unasked(scores: Float32s, asked: Sequence[int]) -> Float32s:
    left = scores.copy()
    left[[uid for uid in asked if uid < len(left)]] = np.nan
    return left


def _by_time(streams: Sequence[Stream]) -> Any:
    """The key to sort by: time where it is known; else names, a run's segments together."""
    names: dict[str, list[tuple[int, str]]] = {}
    times: dict[int, datetime | None] = {}
    for stream in streams:
        times.setdefault(stream.number, stream.time)
        name = _natural(stream.file)
        names[_run_or_file(stream)] = min(name, names.get(_run_or_file(stream), name))

    def key(stream: Stream) -> tuple[Any, ...]:
        name = names[_run_or_file(stream)]
        time = times[stream.number]
        return (time is None, time or datetime.min, name, stream.number, stream.pieces)

    return key


def _run_or_file(stream: Stream) -> str:
    return f"file {stream.file}" if stream.run is None else f"run {stream.run}"


def _natural(name: str) -> list[tuple[int, str]]:
    """A name with the numbers in it as numbers: part_2 before part_10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def lives_of(rule: EmaRule, streams: Sequence[Stream]) -> list[list[list[Stream]]]:
    """Lives in order of their beginning; a life is chains in order, a chain streams in order.

    Args:
        rule: of the scores.
        streams: in order of time, as far as that is known.
    """
    joins = _Joins(streams)
    if streams:
        found = links(
            rule, np.stack([s.last for s in streams]), np.stack([s.first for s in streams])
        )
        for end, start in zip(found.ends.tolist(), found.starts.tolist(), strict=True):
            joins.connect(end, start)
        _connect_restarts(streams, joins)
    lives: dict[int, list[list[Stream]]] = {}
    for start in range(len(streams)):
        if joins.is_first(start):
            lives.setdefault(joins.owner(start), []).append(
                [streams[place] for place in joins.chain(start)]
            )
    return list(lives.values())


def _connect_restarts(streams: Sequence[Stream], joins: "_Joins") -> None:
    """In early eras a process starts with scores of 0, but histories survive: the same chain.

    Of several validators' logs that say nothing of hotkeys nobody knows whose process it was: where
    ends of several lives could be meant, it stays apart.
    """
    free: dict[str | None, list[int]] = {}
    for place in range(len(streams)):
        if joins.is_last(place):
            free.setdefault(joins.hotkey(place), []).append(place)
    for start, stream in enumerate(streams):
        if not (joins.is_first(start) and stream.era in _RESTARTING and _is_zero(stream.first)):
            continue
        if stream.fresh:
            continue
        for hotkey in dict.fromkeys((joins.hotkey(start), None)):
            ends = free.get(hotkey, [])
            before = bisect_left(ends, start)
            if len({joins.owner(end) for end in ends[:before]}) > 1:
                continue
            for at in reversed(range(before)):
                if joins.connect(ends[at], start):
                    del ends[at]
                    break
            if not joins.is_first(start):
                break


def _is_zero(scores: Float32s) -> bool:
    known = scores[~np.isnan(scores)]
    return len(known) > 0 and not known.any()


class _Joins:
    """Which stream follows which, and whose they are: never two hotkeys' in one life."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        count = len(streams)
        self._after: dict[int, int] = {}
        self._followers: set[int] = set()
        # of a chain: its first stream by its last, and its last by its first
        self._first, self._last = list(range(count)), list(range(count))
        self._parent = list(range(count))
        self._hotkeys = [stream.hotkey for stream in streams]
        before: dict[str, int] = {}
        for place, stream in enumerate(streams):
            # folders of one name may be two validators' runs
            run = f"run {stream.run} of {stream.hotkey}"
            names = {
                f"hotkey {stream.hotkey}": stream.hotkey is not None,
                run: stream.run is not None and stream.run_has_id,
            }
            for name, proves in names.items():
                if proves:
                    self._unite(before.setdefault(name, place), place)

    def owner(self, place: int) -> int:
        """The number of the life that a stream belongs to."""
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place

    def hotkey(self, place: int) -> str | None:
        """The hotkey of the life that a stream belongs to."""
        return self._hotkeys[self.owner(place)]

    def is_first(self, place: int) -> bool:
        """Whether a chain begins with this stream."""
        return place not in self._followers

    def is_last(self, place: int) -> bool:
        """Whether a chain ends with this stream."""
        return place not in self._after

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

    def _unite(self, one: int, other: int) -> bool:
        """Make two lives one, unless they are of different hotkeys."""
        older, younger = sorted((self.owner(one), self.owner(other)))
        hotkeys = {self._hotkeys[older], self._hotkeys[younger]} - {None}
        if len(hotkeys) > 1:
            return False
        self._parent[younger] = older
        self._hotkeys[older] = next(iter(hotkeys), None)
        return True
