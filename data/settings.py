"""Fields of settings: each with a line of help, its range, and its name on the command line.

A stage has one frozen dataclass of settings. Its fields are made by `setting`; the command line and
a file of settings take their names, help and ranges from `settings_of`, so that nothing is written
twice.
"""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from data.errors import RunError
from data.text import printable

LARGEST_SEED = 2**32 - 1
"""What every generator of random numbers takes as a seed, NumPy's old one too."""

_MOST_SHOWN = 80  # characters of a refused value
_ORDER = {
    "at least": operator.ge,
    "above": operator.gt,
    "at most": operator.le,
    "below": operator.lt,
}
_WORDS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}


def setting(
    default: Any,
    help: str,  # noqa: A002  as the command line calls it
    *,
    flag: str | None = None,
    unset: str | None = None,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of a settings dataclass.

    Args:
        default: its value where none is given.
        help: one line for a person.
        flag: its name on the command line; None is `--` and the field's name with dashes. Empty: a
            person cannot set it, as it follows from something else.
        unset: the words for the value None, where it may be that.
        least: the lowest value; like the other bounds, of each number of a tuple.
        above: a bound below all values.
        most: the highest value.
        below: a bound above all values.
    """
    bounds = {"at least": least, "above": above, "at most": most, "below": below}
    given = {words: bound for words, bound in bounds.items() if bound is not None}
    described = {"help": help, "flag": flag, "unset": unset, "bounds": given}
    return field(default=default, metadata=described)


@dataclass(frozen=True)
class Setting:
    """What a field of a settings dataclass is.

    Attributes:
        name: the field's.
        kind: int, float, bool, str (for a Literal too), tuple (of floats), a StrEnum, or a
            dataclass of further settings.
        choices: the only values of a Literal or StrEnum, as text; empty for others.
        optional: None is a value too.
        help: one line for a person.
        flag: its name on the command line; empty where a person cannot set it.
        unset: the words for None.
        bounds: the limits of a number, by their words.
    """

    name: str
    kind: Any
    choices: tuple[str, ...]
    optional: bool
    help: str
    flag: str
    unset: str | None
    bounds: Mapping[str, float]

    @property
    def limits(self) -> str:
        """The bounds in words, such as `at least 0 and below 1`; empty where there are none."""
        return " and ".join(f"{words} {bound}" for words, bound in self.bounds.items())

    @property
    def expected(self) -> str:
        """Its type and limits in words, such as `a whole number, at least 1`."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is tuple:
            return "finite numbers" + (f", each {self.limits}" if self.limits else "")
        words: str = _WORDS.get(self.kind, self.kind.__name__)
        return words + (f", {self.limits}" if self.limits else "")

    def accepts(self, value: object) -> bool:
        """Whether the value is of the setting's type and within its limits."""
        if value is None:
            return self.optional
        if self.kind is tuple:
            return isinstance(value, tuple) and all(self._is_number(part) for part in value)
        if self.kind in (int, float):
            return self._is_number(value)
        if not isinstance(value, self.kind):
            return False
        if isinstance(value, str) and self.kind is str:
            return value in self.choices if self.choices else _is_unicode(value)
        return True

    def _is_number(self, value: Any) -> bool:
        wanted = int if self.kind is int else int | float
        if not isinstance(value, wanted) or isinstance(value, bool) or not _is_finite(value):
            return False
        return all(_ORDER[words](value, bound) for words, bound in self.bounds.items())


@cache
def settings_of(kind: type) -> tuple[Setting, ...]:
    """The fields of a settings dataclass, in its order.

    Raises:
        TypeError: a field's type is none that a setting can have: a mistake in the program.
    """
    types = get_type_hints(kind)
    return tuple(_describe(types[one.name], one) for one in fields(kind))


def check_settings(settings: Any, stage: str) -> None:
    """Refuse a value of another type than its field's, or out of its range.

    Args:
        settings: an instance of a dataclass of settings; its `__post_init__` calls this.
        stage: names the settings in an error.

    Raises:
        RunError: which setting, its value, and what was expected.
    """
    kind: type = type(settings)
    for described in settings_of(kind):
        value = getattr(settings, described.name)
        if not described.accepts(value):
            raise RunError(
                f"{stage} setting {described.name}",
                found=shown_value(value),
                expected=described.expected,
            )


def shown_value(value: object) -> str:
    """A refused value as a person reads it: in one line, and cut where it is long."""
    try:
        return printable(repr(value), _MOST_SHOWN)
    except (ValueError, RecursionError):  # too many digits, or too deep, for Python to show it
        return f"a {type(value).__name__} too large to show"


def _describe(annotation: Any, described: Any) -> Setting:
    kinds = [annotation]
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    kind = kinds[0]
    choices: tuple[str, ...] = ()
    if get_origin(kind) is Literal:
        kind, choices = str, get_args(kind)
    elif get_origin(kind) is tuple and set(get_args(kind)) <= {float, ...}:
        kind = tuple
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        choices = tuple(member.value for member in kind)
    bounds = described.metadata.get("bounds", {})
    known = kind in (int, float, bool, str, tuple) or bool(choices) or is_dataclass(kind)
    if len(kinds) > 1 or not known or (bounds and kind not in (int, float, tuple)):
        raise TypeError(f"setting {described.name}: no type of a setting, or bounds of no number")
    flag = described.metadata.get("flag", "")
    return Setting(
        name=described.name,
        kind=kind,
        choices=choices,
        optional=NoneType in get_args(annotation),
        help=described.metadata.get("help", ""),
        flag="--" + described.name.replace("_", "-") if flag is None else flag,
        unset=described.metadata.get("unset"),
        bounds=bounds,
    )


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _is_unicode(text: str) -> bool:
    """Whether it can be written to a file; the name of a file need not be Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
