"""Settings: what a value may be, and the one line that refuses another."""

import math
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.errors import RunError
from data.settings import check_settings, setting, settings_of


class Kind(StrEnum):
    FINE = "fine"
    COARSE = "coarse"


@dataclass(frozen=True)
class Inner:
    depth: int = setting(1, "Depth.", least=1)


@dataclass(frozen=True)
class Outer:
    steps: int = setting(3, "Steps.", least=1, most=12)
    size: int | None = setting(None, "Size.", unset="as large as it is", least=0)
    rate: float = setting(0.5, "Rate.", above=0, below=1)
    scale: float = setting(1.0, "Scale.")
    on: bool = setting(False, "On.", flag="--switch")
    name: str = setting("a", "Name.")
    gate: Literal["wide", "narrow"] = setting("wide", "Gate.")
    kind: Kind = setting(Kind.FINE, "Kind.")
    shares: tuple[float, ...] = setting((0.5, 0.5), "Shares.", least=0)
    width: int = setting(8, "Width.", flag="", least=1)
    inner: Inner = Inner()

    def __post_init__(self) -> None:
        check_settings(self, "outer")


# What Python holds for equal or near to a right value, and what none may be.
NEVER_NUMBERS = [
    True,
    math.nan,
    math.inf,
    -math.inf,
    np.nan,
    np.float32(0.5),
    np.int64(3),
    np.bool_(True),
    np.array([0.5]),
    "3",
    b"3",
    3j,
    (3,),
    [3],
    {},
]


@pytest.mark.parametrize("name", ["steps", "size", "rate", "scale"])
@pytest.mark.parametrize("value", NEVER_NUMBERS, ids=repr)
def test_no_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(RunError, match=f"outer setting {name}: found .*; expected a .* number"):
        Outer(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 3.0),
        ("steps", None),
        ("size", 0.5),
        ("rate", None),
        ("scale", 10**400),
        ("on", 1),
        ("on", None),
        ("on", np.bool_(True)),
        ("on", "true"),
        ("name", 1),
        ("name", b"a"),
        ("name", "a\udcff.safetensors"),
        ("gate", "Wide"),
        ("gate", ""),
        ("gate", ["wide"]),
        ("gate", np.array(["wide"])),
        ("kind", "fine"),
        ("kind", "soft"),
        ("shares", [0.5, 0.5]),
        ("shares", 0.5),
        ("shares", (0.5, -0.1)),
        ("shares", (0.5, math.nan)),
        ("shares", (0.5, True)),
        ("shares", (0.5, "0.5")),
        ("inner", {"depth": 2}),
        ("inner", None),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(RunError, match=f"outer setting {name}: found "):
        Outer(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", None),
        ("size", 0),
        ("rate", np.float64(0.25)),
        ("scale", -7),
        ("scale", 1e308),
        ("name", ""),
        ("name", "Straße ✓"),
        ("gate", "narrow"),
        ("kind", Kind.COARSE),
        ("shares", ()),
        ("shares", (1, 0.5)),
        ("inner", Inner(3)),
    ],
)
def test_a_value_of_its_type_is_kept(name: str, value: Any) -> None:
    assert getattr(Outer(**{name: value}), name) == value


def accepted(**values: Any) -> bool:
    try:
        Outer(**values)
    except RunError:
        return False
    return True


@given(st.integers() | st.integers(-2, 15))
def test_a_whole_number_is_in_its_range_or_refused(value: int) -> None:
    assert accepted(steps=value) == (value in range(1, 13))
    assert accepted(size=value) == (value >= 0)


@given(st.floats() | st.floats(-0.5, 1.5))
@example(0.0)
@example(1.0)
@example(5e-324)
@example(math.nextafter(1, 0))
def test_a_number_is_in_its_range_or_refused(value: float) -> None:
    inside = sorted([0.0, value, 1.0]) == [0.0, value, 1.0] and value not in (0.0, 1.0)
    assert accepted(rate=value) == (inside and not math.isnan(value))
    assert accepted(scale=value) == math.isfinite(value)


@given(
    least=st.none() | st.floats(allow_nan=False),
    above=st.none() | st.floats(allow_nan=False),
    most=st.none() | st.floats(allow_nan=False),
    below=st.none() | st.floats(allow_nan=False),
    whole=st.booleans(),
    many=st.booleans(),
)
def test_not_a_number_passes_no_bound(
    least: float | None,
    above: float | None,
    most: float | None,
    below: float | None,
    whole: bool,
    many: bool,
) -> None:
    kind: Any = (int if whole else float) | None
    default = setting(None, "", least=least, above=above, most=most, below=below)
    namespace = {"x": default, "__annotations__": {"x": tuple[float, ...] if many else kind}}
    bounded: type = dataclass(type("Bounded", (), namespace))
    described = settings_of(bounded)[0]
    assert not described.accepts((1.0, math.nan) if many else math.nan)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "steps",
            13,
            "outer setting steps: found 13; expected a whole number, at least 1 and at most 12",
        ),
        ("size", -1, "outer setting size: found -1; expected a whole number, at least 0"),
        ("rate", 1, "outer setting rate: found 1; expected a finite number, above 0 and below 1"),
        ("scale", "x", "outer setting scale: found 'x'; expected a finite number"),
        ("on", 1, "outer setting on: found 1; expected true or false"),
        ("gate", "x\n", r"outer setting gate: found 'x\n'; expected one of wide, narrow"),
        ("kind", "soft", "outer setting kind: found 'soft'; expected one of fine, coarse"),
        ("shares", (-1,), "outer setting shares: found (-1,); expected finite numbers, each at le"),
        ("inner", 1, "outer setting inner: found 1; expected Inner"),
    ],
)
def test_an_error_is_one_line_that_says_what_was_expected(name: str, value: Any, line: str) -> None:
    with pytest.raises(RunError) as refused:
        Outer(**{name: value})
    assert str(refused.value).startswith(line)
    assert len(str(refused.value).splitlines()) == 1


def nested(depth: int) -> list[Any]:
    values: list[Any] = []
    for _ in range(depth):
        values = [values]
    return values


@pytest.mark.parametrize("value", ["x" * 10_000, 10**5000, nested(5000)], ids=["text", "n", "deep"])
def test_a_value_too_large_to_show_is_one_short_line(value: Any) -> None:
    with pytest.raises(RunError) as refused:
        Outer(steps=value)
    assert len(str(refused.value)) < 200


def test_settings_are_described_by_their_fields() -> None:
    described = {one.name: one for one in settings_of(Outer)}
    assert list(described) == [one.name for one in fields(Outer)]
    assert described["steps"].flag == "--steps"
    assert described["on"].flag == "--switch"
    assert {name for name, one in described.items() if not one.flag} == {"width", "inner"}
    assert {name for name, one in described.items() if one.optional} == {"size"}
    assert described["gate"].choices == ("wide", "narrow")
    assert described["kind"].choices == ("fine", "coarse")
    assert described["rate"].limits == "above 0 and below 1"
    assert settings_of(Outer) is settings_of(Outer)


class Number(Enum):
    ONE = 1


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [(int | str, {}), (list[int], {}), (tuple[str, ...], {}), (str, {"least": 1}), (Number, {})],
)
def test_a_type_that_no_setting_can_have_is_a_mistake_in_the_program(
    kind: Any, bounds: dict[str, Any]
) -> None:
    namespace = {"x": setting(None, "", **bounds), "__annotations__": {"x": kind}}
    wrong: type = dataclass(type("Wrong", (), namespace))
    with pytest.raises(TypeError, match="setting x"):
        settings_of(wrong)
