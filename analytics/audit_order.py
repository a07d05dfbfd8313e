"""The order of challenges in time: which file or run goes on where another one ends.

Within a run steps tell the order, within a file positions. Between them the scores do: the first
record of one goes on from the last of another by the law of `score_law`. So the logs of several
validators fall apart into lives, and one life is put together from many runs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from analytics.compiled import compiled
from analytics.score_law import Float32s, Law, step
from analytics.warehouse import statements

_EXCUSED = ("E4", "E5", "E6")
_LEAST_SHARE = 0.25
_LEAST_SCORES = 3
_LONGEST_HOLE = 16


@dataclass(frozen=True)
class Stream:
    """A run or file: scores of its first record, less those of the uids that it asked (NaN), and of
    its last; both (uids,).
    """

    number: int
    time: datetime | None
    file: str
    era: str
    first: Float32s
    last: Float32s


def order(connection: duckdb.DuckDBPyConnection, law: Law, uids: int) -> int:
    """Put all challenges in order, as the temporary table `audit_order`; returns how many lives."""
    connection.execute(statements("audit/streams"))
    streams = sorted(_streams(connection, uids), key=_by_time)
    lives = connected(law, streams)
    connection.execute("CREATE OR REPLACE TEMP TABLE audit_lives (stream INT, life INT, place INT)")
    connection.executemany(
        "INSERT INTO audit_lives VALUES (?, ?, ?)",
        [
            (stream.number, life, place)
            for life, members in enumerate(lives)
            for place, stream in enumerate(members)
        ],
    )
    connection.execute(statements("audit/order"))
    return len(lives)


def _streams(connection: duckdb.DuckDBPyConnection, uids: int) -> list[Stream]:
    result = connection.execute(statements("audit/ends"))
    names = [column[0] for column in result.description]
    ends: dict[int, list[dict[str, Any]]] = {}
    for values in result.fetchall():
        row = dict(zip(names, values, strict=True))
        ends.setdefault(row["stream"], []).append(row)
    return [_stream(number, rows[0], rows[-1], uids) for number, rows in ends.items()]


def _stream(number: int, first: dict[str, Any], last: dict[str, Any], uids: int) -> Stream:
    unasked = _vector(first["scores"], uids)
    unasked[[uid for uid in first["uids"] if uid < uids]] = np.nan
    return Stream(
        number=number,
        time=first["time"],
        file=first["file"],
        era=first["era"],
        first=unasked,
        last=_vector(last["scores"], uids),
    )


def _vector(scores: Sequence[float | None] | None, uids: int) -> Float32s:
    vector = np.full(uids, np.nan, np.float32)
    given = [np.nan if score is None else score for score in (scores or ())[:uids]]
    vector[: len(given)] = given
    return vector


def _by_time(stream: Stream) -> tuple[Any, ...]:
    """By time where it is known; else by name, with the numbers in it as numbers."""
    parts = re.split(r"(\d+)", stream.file)
    natural = [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
    return (stream.time is None, stream.time or datetime.min, natural, stream.number)


def connected(law: Law, streams: Sequence[Stream]) -> list[list[Stream]]:
    """Streams in order, as lives: lists of those of which each goes on where the one before ends.

    Args:
        law: of the scores.
        streams: in order of time, as far as that is known.
    """
    if not streams:
        return []
    shares = _shares(law, np.stack([s.last for s in streams]), np.stack([s.first for s in streams]))
    after: dict[int, int] = {}
    lives = list(range(len(streams)))
    candidates = np.argwhere(shares >= _LEAST_SHARE)
    near = np.abs(candidates[:, 1] - candidates[:, 0] - 1)
    best = np.lexsort((near, -shares[candidates[:, 0], candidates[:, 1]]))
    for end, start in candidates[best].tolist():
        _connect(end, start, after, lives)
    for start, stream in enumerate(streams):
        # such a process starts with scores of 0, but histories survive
        if start not in after.values() and stream.era in _EXCUSED and _is_zero(stream.first):
            for end in reversed(range(start)):
                if _connect(end, start, after, lives):
                    break
    return _paths(streams, after)


def _connect(end: int, start: int, after: dict[int, int], lives: list[int]) -> bool:
    """Let `start` follow `end` if both are free and no circle results."""
    if end in after or start in after.values() or lives[end] == lives[start]:
        return False
    after[end] = start
    joined, absorbed = lives[end], lives[start]
    lives[:] = [joined if life == absorbed else life for life in lives]
    return True


def _paths(streams: Sequence[Stream], after: dict[int, int]) -> list[list[Stream]]:
    followers = set(after.values())
    paths = []
    for start in range(len(streams)):
        if start not in followers:
            path = [start]
            while path[-1] in after:
                path.append(after[path[-1]])
            paths.append([streams[place] for place in path])
    return paths


def _is_zero(scores: Float32s) -> bool:
    known = scores[~np.isnan(scores)]
    return len(known) > 0 and not known.any()


@compiled
def _shares(law: Law, ends: Float32s, starts: Float32s) -> NDArray[np.float64]:
    """How well each start goes on from each end, (streams, streams): the share of scores that do.

    Over a hole the share of uids that it did not ask; 0 where too few scores can tell.
    """
    count = len(ends)
    shares = np.zeros((count, count))
    for end in range(count):
        for start in range(count):
            if end != start:
                shares[end, start] = _share(law, ends[end], starts[start])
    return shares


@compiled
def _share(law: Law, end: Float32s, start: Float32s) -> float:
    known, found = 0, 0
    for uid in range(len(end)):
        old, new = end[uid], start[uid]
        if old > 0 and not np.isnan(new):
            known += 1
            found += _goes_on(law, old, new)
            if known == 4 * _LEAST_SCORES and found == 0:
                return 0.0
    return found / known if known >= _LEAST_SCORES else 0.0


@compiled
def _goes_on(law: Law, old: np.float32, new: np.float32) -> bool:
    kept, decayed = old, old
    for _ in range(_LONGEST_HOLE):
        kept, decayed = step(law, kept, kept), step(law, decayed, np.float32(0))
        if new in (kept, decayed):
            return True
    return False
