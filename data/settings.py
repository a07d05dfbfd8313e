"""Fields of settings: each with a line of help, its range, and its name on the command line.

A stage has one frozen dataclass of settings. Its fields are made by `setting`; the command line and
a file of settings take their names, help and ranges from there, so that nothing is written twice.
"""

from collections.abc import Mapping
from dataclasses import Field, field, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from data.errors import RunError


def setting(
    default: Any,
    help: str,  # noqa: A002  as the command line calls it
    *,
    flag: str | None = None,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of a settings dataclass.

    Args:
        default: its value where none is given.
        help: one line for a person.
        flag: its name on the command line; None is `--` and the field's name with dashes.
        least: the lowest value.
        above: a bound below all values.
        most: the highest value.
        below: a bound above all values.
    """
    bounds = {"at least": least, "above": above, "at most": most, "below": below}
    given = {words: bound for words, bound in bounds.items() if bound is not None}
    return field(default=default, metadata={"help": help, "flag": flag, "bounds": given})


def check_settings(settings: Any, stage: str) -> None:
    """Refuse a value of another type than its field's, or out of its range.

    Args:
        settings: an instance of a dataclass of settings; its `__post_init__` calls this.
        stage: names the settings in an error.

    Raises:
        RunError: which setting, its value, and what was expected.
    """
    types = get_type_hints(type(settings))
    for described in fields(settings):
        value = getattr(settings, described.name)
        expected = _mismatch(value, types[described.name], described)
        if expected is not None:
            raise RunError(
                f"{stage} setting {described.name}", found=repr(value), expected=expected
            )


def accepted_types(annotation: Any) -> tuple[Any, ...]:
    """The types of a field: those of a union one by one, else its own."""
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def _mismatch(value: object, annotation: Any, described: "Field[Any]") -> str | None:
    """What is expected in place of a value; None where it is right."""
    types = accepted_types(annotation)
    if value is None and NoneType in types:
        return None
    bounds: Mapping[str, float] = described.metadata.get("bounds", {})
    for kind in types:
        if get_origin(kind) is Literal:
            if value in get_args(kind):
                return None
        elif _has_type(value, kind) and _within(value, bounds):
            return None
    return _words(types, bounds)


def _has_type(value: object, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, get_origin(kind) or kind)


def _within(value: Any, bounds: Mapping[str, float]) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return all(
        {
            "at least": lambda number, bound: number >= bound,
            "above": lambda number, bound: number > bound,
            "at most": lambda number, bound: number <= bound,
            "below": lambda number, bound: number < bound,
        }[words](number, bound)
        for number in numbers
        for words, bound in bounds.items()
    )


def _words(types: tuple[Any, ...], bounds: Mapping[str, float]) -> str:
    """A field's types and range in words, such as `a whole number of at least 1`."""
    named = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        NoneType: "nothing",
    }
    words = [
        ", ".join(map(str, get_args(kind)))
        if get_origin(kind) is Literal
        else named.get(kind, "numbers" if get_origin(kind) is tuple else str(kind))
        for kind in types
        if kind is not NoneType
    ]
    limits = " and ".join(f"{words} {bound:g}" for words, bound in bounds.items())
    return " or ".join(words) + (f" {limits}" if limits else "")
