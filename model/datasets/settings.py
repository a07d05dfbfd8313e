"""Settings of a training's data: challenges drawn of rows, and augmentation; no torch."""

import math
from dataclasses import dataclass
from typing import Literal

from data.errors import RunError
from data.records.augmentation import LEVELS
from data.settings import check_settings, setting, shown_value
from replay.settings import Arithmetic

Era = Literal["crop", "letterbox"]
"""How a validator cut: E4 to E8 cropped, E9 letterboxed."""


@dataclass(frozen=True)
class DatasetSettings:
    """How challenges are drawn of rows, as a validator does, and what is done to them beyond it.

    RandAugment, cutout and MixUp change images that are drawn afresh in every epoch, so they are
    refused where features of a frozen backbone are kept; None is on elsewhere.

    Raises:
        RunError: a value out of its range.
    """

    draws: int = setting(
        4,
        "Challenges kept of each validation row, and of each row where features are kept.",
        least=1,
    )
    era: Era = setting("crop", "The validator's geometry: E4 to E8 cropped, E9 letterboxed.")
    level_shares: tuple[float, ...] = setting(
        (0.25, 0.25, 0.25, 0.25), "Shares of the augmentation levels 0 to 3.", least=0
    )
    keep_features: bool = setting(
        True, "Keep a frozen backbone's features for all epochs; else each draws challenges anew."
    )
    workers: int | None = setting(
        None, "Processes that rebuild images.", unset="one a core, at most 8", least=0
    )
    randaugment: bool | None = setting(
        None, "RandAugment of training images.", unset="on, unless features are kept"
    )
    cutout: int | None = setting(
        None,
        "Side in pixels of a square erased from training images; 0 erases none.",
        unset="16, unless features are kept",
        least=0,
    )
    mixup: float | None = setting(
        None, "MixUp's alpha; 0 mixes none.", unset="0.2, unless features are kept", least=0
    )
    metadata: bool = setting(
        False,
        "Give the model the logged metadata too. Whether a description is present reveals the "
        "label.",
    )
    arithmetic: Arithmetic = setting(
        Arithmetic.AVX2, "How the validator's processor rounds rotations; see `render --help`."
    )

    def __post_init__(self) -> None:
        check_settings(self, "dataset")
        if len(self.level_shares) != LEVELS or not 0 < sum(self.level_shares) < math.inf:
            raise RunError(
                "dataset setting level_shares",
                found=shown_value(self.level_shares),
                expected=f"{LEVELS} shares, one for each of the levels 0 to 3, with a sum above 0",
            )
