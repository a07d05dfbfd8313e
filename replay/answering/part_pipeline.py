"""Parts answered one after another, each while the images of the next ones are rebuilt.

A candidate whose device computes by itself (`begin_predict`) is given a part before the answers to
the last one are written: at the border of two parts it has work.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from replay.answering.image_workers import ImageBuilder
from replay.answering.part_predictor import BegunPart, PartPredictor
from replay.answering.part_work import PartAnswer, PartWork
from replay.answering.prepared_part import PreparedPart

# With two of them, a part that takes long to rebuild holds up nobody. Each is of 64 MB of images.
_PARTS_AHEAD = 2
_POLL_SECONDS = 0.002


def answers(
    parts: Iterator[PartWork], build: ImageBuilder, predictor: PartPredictor
) -> Iterator[PartAnswer]:
    """The answers to parts, in their order.

    Args:
        parts: taken a few ahead of the answers.
        build: makes their images.
        predictor: is asked about one part at a time.

    Raises:
        RunError: the candidate cannot answer, or a process that rebuilds images died.
        Exception: what `parts` raises, and what preparing one does; after the answers to all parts
            before it.
    """
    begun: BegunPart | None = None
    prepared = _PreparedParts(parts, build, predictor)
    for part, following in _with_following(iter(prepared)):
        if begun is not None and _is_done_before(begun, part):
            yield begun.answer()
            begun = None
        try:
            for each in (part, *following):
                each.build_ahead()
            begins = predictor.begin(part)
        except Exception:
            if begun is not None:  # what was answered is kept
                yield begun.answer()
            raise
        if begun is not None:
            yield begun.answer()
        begun = begins
    if begun is not None:
        yield begun.answer()
    if prepared.failure is not None:
        raise prepared.failure


class _PreparedParts:
    """Parts that are prepared, up to one that cannot be; then `failure` is why."""

    def __init__(
        self, parts: Iterator[PartWork], build: ImageBuilder, predictor: PartPredictor
    ) -> None:
        self._parts, self._build, self._predictor = parts, build, predictor
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[PreparedPart]:
        try:
            for work in self._parts:
                yield self._predictor.prepare(work, self._build)
        except Exception as failure:  # noqa: BLE001  (raised once the parts before are answered)
            self.failure = failure


def _with_following(
    parts: Iterator[PreparedPart],
) -> Iterator[tuple[PreparedPart, Sequence[PreparedPart]]]:
    """Each part, with the next ones."""
    window = deque(islice(parts, 1 + _PARTS_AHEAD))
    while window:
        yield window.popleft(), tuple(window)
        window.extend(islice(parts, 1))


def _is_done_before(begun: BegunPart, part: PreparedPart) -> bool:
    """Wait for the first of the two: a part's answers, or the images of the next one."""
    while not begun.done() and part.awaited:
        time.sleep(_POLL_SECONDS)
    return begun.done()
