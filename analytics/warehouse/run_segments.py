"""The segments of a run: what was logged without its step beginning again.

A run that is resumed goes on in another file: after the last step, or from step 0 again where W&B
was offline. Which segment a challenge is in follows from all that is known of the run, not from
what was read first; so a later ingest may move what an earlier one has numbered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import duckdb

from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class Part:
    """What one log holds of a run, no step twice: steps `first` to `last`.

    `started` is when it began, UTC, if known. `challenge` is the id of its first one, or empty: it
    orders parts of which no time is known.
    """

    number: int
    run_id: str
    started: datetime | None
    first: int
    last: int
    challenge: str


def assign_segments(connection: duckdb.DuckDBPyConnection) -> None:
    """Number the segments of all staged rows, and renumber those of the runs that they are of."""
    connection.execute(statements("analytics/warehouse/parts"))
    columns = "part, run_id, started, first_step, last_step, coalesce(first_challenge, '')"
    found = connection.execute(f"SELECT {columns} FROM stage_parts ORDER BY part")  # noqa: S608
    parts = [Part(*row) for row in found.fetchall()]
    rows = connection.execute(statements("analytics/warehouse/equal_parts"))
    equal: list[tuple[int, int]] = rows.fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE segment_of_part (part BIGINT, segment BIGINT)")
    if numbered := segments_of(parts, equal):
        connection.executemany("INSERT INTO segment_of_part VALUES (?, ?)", list(numbered.items()))
    connection.execute(statements("analytics/warehouse/segments"))


def segments_of(parts: Sequence[Part], equal: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The segment of each part, by the part's number; the order of `parts` does not count.

    Args:
        parts: of any runs.
        equal: numbers of parts of one run that hold an equal challenge at an equal step.
    """
    group_of = {part.number: [part.number] for part in parts}
    started: dict[tuple[str, datetime], int] = {}
    for part in parts:
        if part.started is not None:
            _join(
                group_of, part.number, started.setdefault((part.run_id, part.started), part.number)
            )
    for one, other in equal:
        _join(group_of, one, other)
    groups: dict[int, list[Part]] = {}
    for part in parts:
        groups.setdefault(id(group_of[part.number]), []).append(part)
    copies = sorted(groups.values(), key=lambda group: group[0].run_id)
    return {
        part.number: segment
        for _, of_run in groupby(copies, key=lambda group: group[0].run_id)
        for group, segment in _numbered(list(of_run))
        for part in group
    }


def _join(group_of: dict[int, list[int]], one: int, other: int) -> None:
    """Make two groups one; the parts of the smaller one move, so that many joins stay quick."""
    dropped, kept = sorted((group_of[one], group_of[other]), key=len)
    if kept is not dropped:
        kept += dropped
        group_of.update(dict.fromkeys(dropped, kept))


def _numbered(groups: list[list[Part]]) -> Iterable[tuple[list[Part], int]]:
    """Groups of copies of a run, in time, with the segment that each goes on or begins."""
    last_steps: list[int] = []
    for group in sorted(groups, key=_by_time):
        first, last = min(part.first for part in group), max(part.last for part in group)
        timed = any(part.started is not None for part in group)
        # without a time it goes on where it can only go on in one place
        before = [k for k, end in enumerate(last_steps) if end < first]
        open_ends = [k for k in before if k == len(last_steps) - 1] if timed else before
        if len(open_ends) == 1:
            segment = open_ends[0]
            last_steps[segment] = last
        else:
            segment = len(last_steps)
            last_steps.append(last)
        yield group, segment


def _by_time(group: list[Part]) -> tuple[bool, datetime, int, str]:
    times = [part.started for part in group if part.started is not None]
    first = min(part.first for part in group)
    challenges = [part.challenge for part in group if part.first == first]
    return not times, min(times, default=datetime.min), first, min(challenges)
