"""Number the segments of a run: stretches in which its step does not begin again.

A resumed run is continued in another file: after the last step, or from step 0 again where W&B was
offline. The segment of a challenge depends on all logs of the run, not on the order of reading; so
a later ingest may renumber the segments of an earlier one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import duckdb

from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class RunPart:
    """The steps `first` to `last` of a run in one log, each once.

    `started` is when it began, UTC, if known. `challenge` is the id of its first challenge, or
    empty: it orders parts without a time.
    """

    number: int
    run_id: str
    started: datetime | None
    first: int
    last: int
    challenge: str


def assign_segments(connection: duckdb.DuckDBPyConnection) -> None:
    """Number the segments of all staged rows, and renumber those of the runs that they are of."""
    connection.execute(statements("analytics/ingest/parts"))
    columns = "part, run_id, started, first_step, last_step, coalesce(first_challenge, '')"
    rows_of_parts = connection.execute(f"SELECT {columns} FROM stage_parts ORDER BY part")  # noqa: S608
    parts = [RunPart(*row) for row in rows_of_parts.fetchall()]
    rows = connection.execute(statements("analytics/ingest/equal_parts"))
    equal: list[tuple[int, int]] = rows.fetchall()
    if any(not part.challenge for part in parts):
        equal += connection.execute(statements("analytics/ingest/alike_parts")).fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE segment_of_part (part BIGINT, segment BIGINT)")
    if numbered := segments_of(parts, equal):
        connection.executemany("INSERT INTO segment_of_part VALUES (?, ?)", list(numbered.items()))
    connection.execute(statements("analytics/ingest/segments"))


def segments_of(parts: Sequence[RunPart], equal: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The segment of each part, by the part's number; the order of `parts` does not count.

    Args:
        parts: of any runs.
        equal: numbers of parts of one run that hold an equal challenge at an equal step, or the
            same values.
    """
    group_of = {part.number: [part.number] for part in parts}
    started: dict[tuple[str, datetime], int] = {}
    for part in parts:
        if part.started is not None:
            _join(
                group_of, part.number, started.setdefault((part.run_id, part.started), part.number)
            )
    for number, copy in equal:
        _join(group_of, number, copy)
    groups: dict[int, list[RunPart]] = {}
    for part in parts:
        groups.setdefault(id(group_of[part.number]), []).append(part)
    copies = sorted(groups.values(), key=lambda group: group[0].run_id)
    return {
        part.number: segment
        for _, of_run in groupby(copies, key=lambda group: group[0].run_id)
        for group, segment in _numbered(list(of_run))
        for part in group
    }


def _join(group_of: dict[int, list[int]], number: int, other: int) -> None:
    """Merge two groups; the smaller one's parts move, so that many merges stay fast."""
    dropped, kept = sorted((group_of[number], group_of[other]), key=len)
    if kept is not dropped:
        kept += dropped
        group_of.update(dict.fromkeys(dropped, kept))


def _numbered(groups: list[list[RunPart]]) -> Iterable[tuple[list[RunPart], int]]:
    """Groups of copies of a run in order of time, each with the segment it continues or begins."""
    last_steps: list[int] = []
    for group in sorted(groups, key=_by_time):
        first, last = min(part.first for part in group), max(part.last for part in group)
        timed = any(part.started is not None for part in group)
        # without a time it continues a segment only where just one is possible
        before = [number for number, end in enumerate(last_steps) if end < first]
        newest = len(last_steps) - 1
        open_ends = [number for number in before if number == newest] if timed else before
        if len(open_ends) == 1:
            segment = open_ends[0]
            last_steps[segment] = last
        else:
            segment = len(last_steps)
            last_steps.append(last)
        yield group, segment


def _by_time(group: list[RunPart]) -> tuple[bool, datetime, int, str]:
    times = [part.started for part in group if part.started is not None]
    first = min(part.first for part in group)
    challenges = [part.challenge for part in group if part.first == first]
    return not times, min(times, default=datetime.min), first, min(challenges)
