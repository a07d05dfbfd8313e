"""Separate the parts of a resumed run, where its folder holds several records of one step.

A run that began again at step 0 and was then downloaded has the media files of all its parts in one
folder, under names that hold only the step. The scores separate them: from one challenge to the
next of a part, only the scores of uids that were asked change.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from data.columnar.clean_record import CleanRecord
from data.records.types import Logged, LogItem

# The score of a uid that was not asked changes by float32 rounding alone.
_ROUNDING = 1e-5
# A real run does not begin again more often than this; any further records share one part.
_MOST_PARTS = 16

_Scores = npt.NDArray[np.float32]
_Record = Logged | CleanRecord


@dataclass
class _Part:
    """A part as read so far: the step and the scores of its last record."""

    step: int
    scores: _Scores


def with_parts(
    steps: Iterable[tuple[int, list[LogItem | CleanRecord]]],
) -> Iterator[LogItem | CleanRecord]:
    """The records of a run with the part that each belongs to in `Origin.part`.

    Args:
        steps: each step in order, with the items of its files; where no step has two records,
            everything is one part.
    """
    parts: list[_Part] = []
    for step, items in steps:
        records = {_id(item): item for item in items if isinstance(item, Logged | CleanRecord)}
        yield from (item for item in items if not isinstance(item, Logged | CleanRecord))
        for record, part in _assign_parts(list(records.values()), parts):
            now = _Part(step, _scores(record))
            if part < len(parts):
                parts[part] = now
            elif part < _MOST_PARTS:
                parts.append(now)
            yield _of_part(record, part)


def _assign_parts(records: list[_Record], parts: list[_Part]) -> list[tuple[_Record, int]]:
    """The records of a step, each with another part: the best fits first, the rest new parts."""
    if len(records) == 1 and len(parts) <= 1:
        return [(records[0], 0)]
    fits = [
        (_unchanged_scores(held.scores, _scores(record)), held.step, part, index)
        for part, held in enumerate(parts)
        for index, record in enumerate(records)
    ]
    part_of: dict[int, int] = {}
    for _, _, part, index in sorted(fits, key=lambda fit: (-fit[0], -fit[1], fit[2], fit[3])):
        if index not in part_of and part not in part_of.values():
            part_of[index] = part
    new = len(parts)
    for index in range(len(records)):
        if index not in part_of:
            part_of[index], new = min(new, _MOST_PARTS), new + 1
    return [(records[index], part) for index, part in sorted(part_of.items(), key=itemgetter(1))]


def _unchanged_scores(before: _Scores, after: _Scores) -> int:
    """How many scores are above 0 and equal before and after, but for rounding."""
    shared = min(len(before), len(after))
    old, new = before[:shared], after[:shared]
    return int(np.count_nonzero((old > 0) & (np.abs(new - old) <= _ROUNDING * old)))


def _scores(record: _Record) -> _Scores:
    if isinstance(record, CleanRecord):
        numbers = np.frombuffer(record.numbers)
        return numbers[len(numbers) - record.score_count :].astype(np.float32)
    scores = record.challenge.scores or ()
    return np.array([np.nan if score is None else score for score in scores], np.float32)


def _id(record: _Record) -> str:
    return record.challenge_id if isinstance(record, CleanRecord) else record.challenge.challenge_id


def _of_part(record: _Record, part: int) -> _Record:
    if not isinstance(record, CleanRecord):
        return replace(record, origin=replace(record.origin, part=part))
    return record._replace(origin=record.origin and replace(record.origin, part=part))
