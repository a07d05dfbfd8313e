"""A plan cut into the parts of a replay."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.records.types import Geometry
from replay.augmentation.augment import SIDE
from replay.plans.plan import Plan, Planned
from replay.settings import ReplaySettings

_CHANNELS = 3


class Parts:
    """A plan in reading order, cut into runs of challenges within both limits; at least one each.

    Parts are fixed by the plan, never by what is left to do, so that a resumed run is the same run.
    """

    def __init__(self, plan: Plan, settings: ReplaySettings) -> None:
        """Cut a plan; no object of a challenge is made yet."""
        self.plan = plan
        sizes = _image_bytes(plan, settings.image_bytes)[plan.reading_order]
        self._starts = _starts(sizes, settings)

    @property
    def part_count(self) -> int:
        """How many parts there are; 0 of an empty plan."""
        return len(self._starts) - 1

    def positions(self, index: int) -> npt.NDArray[np.int64]:
        """Where the challenges of a part are in the plan, in order of reading."""
        return self.plan.reading_order[self._starts[index] : self._starts[index + 1]]

    def part(self, index: int) -> Sequence[Planned]:
        """The challenges of a part; made anew each time it is asked for."""
        return self.plan.at(self.positions(index))


def _image_bytes(plan: Plan, most: int) -> npt.NDArray[np.int64]:
    """Bytes of each challenge's decoded images, `most` + 1 where they are more.

    Unaugmented ones are of source size.
    """
    columns = plan.challenges.columns
    pixels = np.full(len(plan), float(SIDE * SIDE))
    whole = pc.equal(columns["geometry"].cast(pa.string()), str(Geometry.NONE))
    known = pc.and_(pc.is_valid(columns["image_width"]), pc.is_valid(columns["image_height"]))
    where = np.flatnonzero(pc.fill_null(pc.and_(whole, known), False).to_numpy())
    # floats: a log may name any size, and what is beyond their precision is beyond `most`
    width, height = (
        columns[name].take(pa.array(where)).to_numpy().astype(float)
        for name in ("image_width", "image_height")
    )
    pixels[where] = width * height
    sizes: npt.NDArray[np.int64] = np.minimum(
        plan.image_counts * pixels * _CHANNELS, most + 1
    ).astype(np.int64)
    return sizes


def _starts(sizes: npt.NDArray[np.int64], settings: ReplaySettings) -> npt.NDArray[np.int64]:
    """Where each part begins, and where the last one ends."""
    ends = np.cumsum(sizes)
    starts = [0]
    while (start := starts[-1]) < len(sizes):
        before = ends[start] - sizes[start]
        full = int(np.searchsorted(ends, before + settings.image_bytes, side="right"))
        starts.append(min(max(full, start + 1), start + settings.challenges, len(sizes)))
    return np.array(starts, np.int64)
