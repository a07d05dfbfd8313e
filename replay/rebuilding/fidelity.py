"""How faithfully a challenge's image can be rebuilt, and why where it cannot."""

from enum import StrEnum


class Fidelity(StrEnum):
    """How faithfully an image is rebuilt.

    EXACT: the pixels that miners saw. DISTRIBUTION: one of several possible images, since the
    distortions of levels 2 and 3 are not logged. IMPOSSIBLE: not to be rebuilt, for a `Reason`.
    UNSEEN: the same geometry at another size, which no miner saw; never part of a score.
    """

    EXACT = "exact"
    DISTRIBUTION = "distribution"
    IMPOSSIBLE = "impossible"
    UNSEEN = "unseen"


class Reason(StrEnum):
    """Why there is no image of a challenge."""

    SYNTHETIC = "synthetic source"
    API = "api task"
    UNNAMED = "source row not named"
    PARAMETERS = "parameters unreadable"
    SHARD_MISSING = "shard missing"
    ROW_MISSING = "row missing"
    OTHER_ROW = "row is another image"
    BYTES = "bytes unreadable"
    CROP_OUTSIDE = "crop outside the image"
