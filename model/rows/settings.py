"""Settings of the split of source rows; imports no torch."""

from dataclasses import dataclass

from data.errors import RunError
from data.settings import LARGEST_SEED, check_settings, setting


@dataclass(frozen=True)
class SplitSettings:
    """Shares of the rows (0..1) that validate and that no training sees; the rest is trained on.

    Raises:
        RunError: a value out of its range, or nothing left to train on.
    """

    validation: float = setting(0.15, "Share of rows that validate.", above=0, below=1)
    holdout: float = setting(
        0.1, "Share of rows that training never sees, for a later decision.", least=0, below=1
    )
    seed: int = setting(
        0, "Seed of the split alone.", flag="--split-seed", least=0, most=LARGEST_SEED
    )

    def __post_init__(self) -> None:
        check_settings(self, "split")
        if self.validation + self.holdout >= 1:
            raise RunError(
                "split settings validation and holdout",
                found=f"{self.validation} and {self.holdout}",
                expected="a sum below 1: the rest is trained on",
            )
