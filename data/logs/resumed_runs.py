"""Which part of a run a record is of, where a folder holds several records of one step.

A run that began again at step 0 and was then downloaded has the media of both parts in one folder,
under names that tell the step and nothing else. Its scores tell: from one challenge to the next of
a part only those who were asked have new ones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from data.records.types import Logged, LogItem

# A score that is only carried on moves by its rounding in float32.
_ROUNDING = 1e-5
# A run that began again more often than this is none; what is more shares one part.
_MOST_PARTS = 16

_Scores = npt.NDArray[np.float32]


@dataclass
class _Part:
    """A part as far as it was read: the step and the scores of its last record."""

    step: int
    scores: _Scores


def with_parts(steps: Iterable[tuple[int, list[LogItem]]]) -> Iterator[LogItem]:
    """Records with the part of the run that each is of, in `Origin.part`.

    Args:
        steps: each step in order, with what its files hold; where none is held twice, all is one
            part.
    """
    parts: list[_Part] = []
    for step, items in steps:
        records = {item.challenge.challenge_id: item for item in items if isinstance(item, Logged)}
        yield from (item for item in items if not isinstance(item, Logged))
        for record, part in _assign_parts(list(records.values()), parts):
            now = _Part(step, _scores(record))
            if part < len(parts):
                parts[part] = now
            elif part < _MOST_PARTS:
                parts.append(now)
            yield replace(record, origin=replace(record.origin, part=part))


def _assign_parts(records: list[Logged], parts: list[_Part]) -> list[tuple[Logged, int]]:
    """Each record of a step with a part of its own: those that fit best first, then in order."""
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
    """How many scores are above 0 and the same in both, but for rounding."""
    both = min(len(before), len(after))
    old, new = before[:both], after[:both]
    return int(np.count_nonzero((old > 0) & (np.abs(new - old) <= _ROUNDING * old)))


def _scores(record: Logged) -> _Scores:
    scores = record.challenge.scores or ()
    return np.array([np.nan if score is None else score for score in scores], np.float32)
