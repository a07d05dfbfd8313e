"""A replay cut into parts: what is predicted in one go and written as one file.

Parts are fixed by the plan, never by what is left to do, so that a resumed run is the same run.
"""

from collections.abc import Iterator, Sequence

from replay.augmentation.augment import SIDE
from replay.plans.plan import Planned
from replay.settings import ReplaySettings


def parts(planned: Sequence[Planned], settings: ReplaySettings) -> Iterator[Sequence[Planned]]:
    """Cut a plan into runs of challenges within both limits; at least one challenge each."""
    start, held = 0, 0
    for index, item in enumerate(planned):
        size = _image_bytes(item)
        full = index - start >= settings.challenges or held + size > settings.image_bytes
        if full and index > start:
            yield planned[start:index]
            start, held = index, 0
        held += size
    if start < len(planned):
        yield planned[start:]


def _image_bytes(item: Planned) -> int:
    """Bytes of the challenge's decoded images; unaugmented ones are of source size."""
    width, height = (SIDE, SIDE)
    if item.challenge.augmentation.geometry == "none" and item.challenge.image_size is not None:
        width, height = item.challenge.image_size
    return len(item.variants) * width * height * 3
