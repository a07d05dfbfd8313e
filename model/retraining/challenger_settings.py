"""Settings of how a challenger is made; imports no torch."""

from dataclasses import dataclass

from data.settings import check_settings, setting


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
