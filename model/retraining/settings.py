"""Settings of when a retraining is due and how a challenger is made; nothing heavy is imported."""

from dataclasses import dataclass

from data.settings import check_settings, setting


@dataclass(frozen=True)
class DecisionSettings:
    """When a retraining is due: the drift that is beyond what is tolerated.

    Raises:
        RunError: a value out of its range.
    """

    city_share: float = setting(
        0.1, "Drift of the cities' shares (total variation) that is tolerated.", least=0, most=1
    )
    null_rate: float = setting(
        0.1, "Drift of a field's NULL rate that is tolerated.", least=0, most=1
    )
    gate_share: float = setting(
        0.05, "Drift of the views' shares (total variation) that is tolerated.", least=0, most=1
    )
    reward: float = setting(
        0.02, "Loss of reward against the miners that is tolerated.", least=0, most=1
    )
    level: float = setting(
        0.95, "Confidence that a drift is no chance, over all of them.", above=0, below=1
    )
    cool_down_days: float = setting(3.0, "Days from one retraining to the next.", least=0)
    new_rows: int = setting(100, "Source rows that the champion was not trained on.", least=0)

    def __post_init__(self) -> None:
        check_settings(self, "decision")


@dataclass(frozen=True)
class ChallengerSettings:
    """What the challenger begins with, and how far it goes from there.

    Raises:
        RunError: a value out of its range.
    """

    from_scratch: bool = setting(
        False, "Train from weights of its own, not on from the champion's: nothing is interpolated."
    )
    interpolation: float = setting(
        0.75,
        "How far to go from the champion's weights to the trained ones; 1: all the way. Less keeps "
        "more of what the champion knows (WiSE-FT).",
        above=0,
        most=1,
    )

    def __post_init__(self) -> None:
        check_settings(self, "challenger")

    @property
    def interpolates(self) -> bool:
        """Whether the challenger is between champion and trained weights."""
        return not self.from_scratch and self.interpolation < 1
