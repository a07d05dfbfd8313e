"""Settings of the gate between a champion and a challenger, and of its power calculation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.machine.processes import cores
from data.settings import LARGEST_SEED, check_settings, setting

if TYPE_CHECKING:
    from analytics.comparison.bootstrap import BootstrapSettings


@dataclass(frozen=True)
class GateSettings:
    """How a challenger is judged against the champion.

    `alpha` is spent by all challengers on one gate set together, see `alpha_spending.py`. A bound
    is the loss of accuracy, 0..1, that a slice of its field may be shown to have.

    Raises:
        RunError: a value out of its range.
    """

    alpha: float = setting(
        0.05,
        "Chance that any of all challengers on one gate set is promoted without being better.",
        above=0,
        below=0.5,
    )
    draws: int = setting(1000, "Bootstrap draws over source images.", least=100, most=100_000)
    variant_draws: int = setting(
        16, "Draws of possible images behind an estimate of reward.", least=1
    )
    seed: int = setting(0, "Seed of the draws.", flag="--gate-seed", least=0, most=LARGEST_SEED)
    least_images: int = setting(
        30, "Source images that the gate needs at least; fewer promote nobody.", least=10
    )
    slice_level: float = setting(
        0.95, "Level at which the intervals of all slices hold at once.", above=0, below=1
    )
    city_bound: float = setting(0.05, "Loss of accuracy allowed in a city.", least=0, most=1)
    level_bound: float = setting(0.03, "Loss of accuracy allowed in a level.", least=0, most=1)
    era_bound: float = setting(0.03, "Loss of accuracy allowed in an era.", least=0, most=1)
    label_bound: float = setting(0.03, "Loss of accuracy allowed in a label.", least=0, most=1)
    nulls_bound: float = setting(
        0.05, "Loss of accuracy allowed in a NULL pattern.", least=0, most=1
    )

    def __post_init__(self) -> None:
        check_settings(self, "gate")

    @property
    def bounds(self) -> Mapping[str, float]:
        """The bound of each guarded field."""
        return {
            CITY: self.city_bound,
            LEVEL: self.level_bound,
            ERA: self.era_bound,
            LABEL: self.label_bound,
            NULL_PATTERN: self.nulls_bound,
        }

    @property
    def bootstrap(self) -> "BootstrapSettings":
        """The draws, over all processors, whose number changes no result."""
        # numba with it, which `--help` does not wait for
        from analytics.comparison.bootstrap import BootstrapSettings  # noqa: PLC0415

        return BootstrapSettings(
            draws=self.draws,
            seed=self.seed,
            variant_draws=self.variant_draws,
            threads=cores(),
        )


CITY, LEVEL, ERA, LABEL, NULL_PATTERN = "city", "level", "era", "label", "NULL pattern"
"""The guarded fields."""


@dataclass(frozen=True)
class PowerSettings:
    """What the gate is to find, and how surely.

    Raises:
        RunError: a value out of its range.
    """

    difference: float = setting(
        0.05, "True difference (reward, or MCC) that the gate is to find.", above=0, most=1
    )
    power: float = setting(
        0.8, "Chance to promote a challenger that is so much better.", above=0.5, below=1
    )
    assurance: float = setting(
        0.9,
        "Chance that the size asked for is enough, although the pilot's variance is an estimate.",
        least=0.5,
        below=1,
    )
    disagreement: float = setting(
        0.1,
        "Share of source images on which a challenger is taken to answer otherwise, where none was "
        "ever replayed.",
        above=0,
        below=1,
    )

    def __post_init__(self) -> None:
        check_settings(self, "power")
