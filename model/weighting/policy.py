"""The policy of sample weights: what each factor may do, declared, and read from a TOML file.

A table for each factor, one for their product; a table or key that is left out has its default. The
bundled file, `default_policy.toml`, holds all defaults.
"""

from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

from data.errors import RunError
from data.settings import check_settings, setting, shown_value
from data.settings_file import read_settings

BUNDLED = "default_policy.toml"
"""Name of the bundled policy, in this package."""

_USE = "Whether the factor is used; else it is 1 for every row."


@dataclass(frozen=True)
class GpsPolicy:
    """Tiers of the distance from a row to the nearest target place, in kilometres.

    Targets are the given places; where none is given, the clusters of logged challenges that are
    more common in the log than among the source rows.

    Raises:
        RunError: a value out of its range, distances that do not rise, or places that do not pair.
    """

    use: bool = setting(True, _USE)
    near_km: float = setting(50.0, "The nearest tier's distance.", above=0)
    near: float = setting(5.0, "Its factor.", least=0)
    middle_km: float = setting(200.0, "The next tier's distance.", above=0)
    middle: float = setting(2.5, "Its factor.", least=0)
    far_km: float = setting(500.0, "The third tier's distance.", above=0)
    far: float = setting(1.0, "Its factor.", least=0)
    beyond: float = setting(0.3, "Factor of rows further away.", least=0)
    unknown: float = setting(0.5, "Factor of rows without GPS.", least=0)
    latitudes: tuple[float, ...] = setting((), "Targets, degrees north.", least=-90, most=90)
    longitudes: tuple[float, ...] = setting((), "Targets, degrees east.", least=-180, most=180)
    least_lift: float = setting(
        1.5,
        "A cluster's share of the log is surely at least so many times that of the source rows.",
        least=0,
    )
    share_km: float = setting(100.0, "The share of draws within so far of a target...", above=0)
    aim: float = setting(0.7, "...should be at least this.", least=0, most=1)

    def __post_init__(self) -> None:
        check_settings(self, "gps")
        distances = (self.near_km, self.middle_km, self.far_km)
        if sorted(set(distances)) != list(distances):
            raise RunError(
                "gps settings near_km, middle_km, far_km",
                found=shown_value(distances),
                expected="rising distances",
            )
        if len(self.latitudes) != len(self.longitudes):
            raise RunError(
                "gps settings latitudes, longitudes",
                found=f"{len(self.latitudes)} and {len(self.longitudes)} numbers",
                expected="one of each for every target",
            )


@dataclass(frozen=True)
class SlicesPolicy:
    """Rows of slices in which the candidate surely loses more reward to the miners than elsewhere.

    The factor is 1 + strength * loss, the loss being the reward lost an answer beyond the mean of
    all slices of the field, such as all cities, at the end of its interval nearer to 0.
    """

    use: bool = setting(True, _USE)
    strength: float = setting(4.0, "What a loss of 1 more reward an answer adds.", least=0)
    most: float = setting(3.0, "The largest factor.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "slices")


@dataclass(frozen=True)
class DifficultyPolicy:
    """Logged rows that the miners found hard, or whose label able miners contradict."""

    use: bool = setting(True, _USE)
    strength: float = setting(0.25, "Exponent for each logit above the mean difficulty.", least=0)
    most: float = setting(2.0, "The largest factor; its inverse is the smallest.", least=1)
    doubtful: float = setting(0.1, "Factor of rows with a doubtful label.", least=0)

    def __post_init__(self) -> None:
        check_settings(self, "difficulty")


@dataclass(frozen=True)
class BalancePolicy:
    """Both labels weigh alike in all, after the other factors."""

    use: bool = setting(True, _USE)
    most: float = setting(4.0, "The largest factor; its inverse is the smallest.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "balance")


@dataclass(frozen=True)
class NullsPolicy:
    """Both labels weigh alike within each pattern of NULL fields that holds both."""

    use: bool = setting(True, _USE)
    rows: float = setting(
        10.0, "Rows added to each label's: a small pattern keeps near 1.", least=0
    )
    most: float = setting(3.0, "The largest factor; its inverse is the smallest.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "nulls")


@dataclass(frozen=True)
class GatesPolicy:
    """Rows of slices in which the model surely looks elsewhere where it is wrong.

    The factor is 1 + strength * change, the change being the part of the fusion, 0..1, that is with
    other views in wrong answers than in right ones.
    """

    use: bool = setting(True, _USE)
    strength: float = setting(2.0, "What a change of the whole fusion adds.", least=0)
    most: float = setting(2.0, "The largest factor.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "gates")


@dataclass(frozen=True)
class ProductPolicy:
    """Limits of a row's weight, as multiples of the mean one.

    Raises:
        RunError: a value out of its range.
    """

    lowest: float = setting(0.05, "A product below is raised to this.", least=0, most=1)
    highest: float = setting(20.0, "A product above is lowered to this.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "product")


@dataclass(frozen=True)
class WeightPolicy:
    """How rows are weighted: a part for each factor, and one for their product."""

    gps: GpsPolicy = field(default_factory=GpsPolicy)
    slices: SlicesPolicy = field(default_factory=SlicesPolicy)
    difficulty: DifficultyPolicy = field(default_factory=DifficultyPolicy)
    balance: BalancePolicy = field(default_factory=BalancePolicy)
    nulls: NullsPolicy = field(default_factory=NullsPolicy)
    gates: GatesPolicy = field(default_factory=GatesPolicy)
    product: ProductPolicy = field(default_factory=ProductPolicy)

    @property
    def tables(self) -> dict[str, Any]:
        """Each part by the name of its table in a file."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


def read_policy(path: Path | None = None) -> WeightPolicy:
    """The policy of a TOML file, or the bundled one.

    Raises:
        RunError: the file cannot be read, names an unknown factor or key, or has a value out of its
            range.
    """
    if path is None:
        bundled = resources.files("model.weighting").joinpath(BUNDLED)
        with resources.as_file(bundled) as file:
            return _read(file)
    return _read(path)


def _read(path: Path) -> WeightPolicy:
    kinds = {name: type(part) for name, part in WeightPolicy().tables.items()}
    written = read_settings(path, kinds)
    parts = {}
    for name, values in written.items():
        try:
            parts[name] = kinds[name](**values)
        except RunError as error:
            raise RunError(f"table [{name}] of policy {path}: {error}") from None
    return WeightPolicy(**parts)
