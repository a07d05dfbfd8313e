"""Two small settings dataclasses with every type that a setting can have, and their tables."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from hypothesis import strategies as st

from data.errors import RunError
from data.settings import check_settings, setting


class Kind(StrEnum):
    FINE = "fine"
    COARSE = "coarse"


@dataclass(frozen=True)
class Loop:
    """Values of each type."""

    epochs: int = setting(30, "Passes over the rows.", least=1, most=100)
    lr: float = setting(3e-4, "Highest learning rate.", above=0)
    batch_size: int | None = setting(None, "Rows of a batch.", unset="as many as fit", least=1)
    compiled: bool = setting(False, "Compile the model.", flag="--compile")
    mixed: bool | None = setting(None, "Mix images.", unset="where they are drawn anew")
    name: str = setting("plain", "Name of the loop.")
    gate: Literal["wide", "narrow"] = setting("wide", "Kind of gate.")
    kind: Kind = setting(Kind.FINE, "Kind of grid.", flag="--grid-cells")
    shares: tuple[float, ...] = setting((0.5, 0.5), "Shares of levels.", least=0)
    features: int = setting(8, "What the backbone gives.", flag="", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "loop")


@dataclass(frozen=True)
class Net:
    """Two values that have to go together."""

    width: int = setting(64, "Width of a token.", least=1)
    heads: int = setting(8, "Heads of the attention; a divisor of --width.", least=1)

    def __post_init__(self) -> None:
        check_settings(self, "net")
        if self.width % self.heads:
            raise RunError(
                "net setting heads", found=str(self.heads), expected=f"a divisor of {self.width}"
            )


TABLES: dict[str, type] = {"loop": Loop, "net": Net}

numbers = st.floats(allow_nan=False, allow_infinity=False)
loops: st.SearchStrategy[Any] = st.builds(
    Loop,
    epochs=st.integers(1, 100),
    lr=numbers.filter(lambda number: number > 0),
    batch_size=st.none() | st.integers(1),
    compiled=st.booleans(),
    mixed=st.none() | st.booleans(),
    name=st.text(),
    gate=st.sampled_from(["wide", "narrow"]),
    kind=st.sampled_from(Kind),
    shares=st.lists(numbers.map(abs), max_size=4).map(tuple),
)
