"""Options that choose whose log a command works on, and the lines that say whose it was."""

from collections.abc import Sequence
from typing import Annotated, Protocol

import typer

from data.text import printable

ValidatorOption = Annotated[
    str | None,
    typer.Option(
        "--validator",
        metavar="HOTKEY|UID|LIFE",
        help="Only the log of this validator: its hotkey or uid, as its run's config says them, or "
        "the name that a result gives it, such as life-2.",
    ),
]
LogRunOption = Annotated[
    str | None,
    typer.Option("--log-run", metavar="RUN_ID", help="Only what this logged W&B run holds."),
]

_SHOWN = 10


class NamedLife(Protocol):
    """What a line says of a validator's life."""

    @property
    def name(self) -> str:
        """The hotkey, or another name."""

    @property
    def uid(self) -> int | None:
        """The validator's, where a run says it."""

    @property
    def challenges(self) -> int:
        """How many of its challenges a result rests on."""


def lives_line(lives: Sequence[NamedLife]) -> str:
    """Whose lives a result rests on, with the number of challenges of each, as one line."""
    named = [_named(life) for life in lives[:_SHOWN]]
    more = [f"{len(lives) - _SHOWN} more"] if len(lives) > _SHOWN else []
    count = "one validator's life" if len(lives) == 1 else f"{len(lives)} validators' lives"
    return f"{count}: {', '.join(named + more)}"


def _named(life: NamedLife) -> str:
    uid = "" if life.uid is None else f", uid {life.uid}"
    return f"{printable(life.name)} ({life.challenges} challenges{uid})"
