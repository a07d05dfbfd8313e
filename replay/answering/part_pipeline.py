"""Parts answered one after another, each while the images of the next ones are rebuilt.

A candidate whose device computes by itself (`begin_predict`) is given a part before the answers to
the last one are written: at the border of two parts it has work.
"""

import time
from collections import deque
from collections.abc import Iterator
from itertools import islice

from replay.answering.image_workers import ImageBuilder, PartImages
from replay.answering.part_predictor import BegunPart, PartPredictor, images_of
from replay.answering.part_work import PartAnswer, PartWork

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
    """
    begun: BegunPart | None = None
    for work, images in _with_images(parts, build):
        if begun is not None and _is_done_before(begun, images):
            yield begun.answer()
            begun = None
        try:
            begins = predictor.begin(work, images)
        except Exception:
            if begun is not None:  # what was answered is kept
                yield begun.answer()
            raise
        if begun is not None:
            yield begun.answer()
        begun = begins
    if begun is not None:
        yield begun.answer()


def _with_images(
    parts: Iterator[PartWork], build: ImageBuilder
) -> Iterator[tuple[PartWork, PartImages]]:
    """Parts with their images; the next ones are begun if images are looked at at all."""
    each = ((work, build(images_of(work.challenges))) for work in parts)
    window = deque(islice(each, 1 + _PARTS_AHEAD))
    while window:
        work, images = window.popleft()
        images.following = [following for _, following in window]
        yield work, images
        window.extend(islice(each, 1))


def _is_done_before(begun: BegunPart, images: PartImages) -> bool:
    """Wait for the first of the two: a part's answers, or the images of the next one."""
    while not begun.done() and images.awaited:
        time.sleep(_POLL_SECONDS)
    return begun.done()
