"""One line of text that names the validators whose logs a result is based on."""

from collections.abc import Sequence
from typing import Protocol

from analytics.warehouse.false_signatures import FalseSignature, false_signatures_text
from data.text import printable

_SHOWN = 10


class NamedLife(Protocol):
    """What the line says of a validator's life."""

    @property
    def name(self) -> str:
        """The hotkey, or another name."""

    @property
    def uid(self) -> int | None:
        """The validator's, where a run says it."""

    @property
    def challenges(self) -> int:
        """How many of its challenges the result rests on."""

    @property
    def false_signatures(self) -> Sequence[FalseSignature]:
        """Its runs that name a hotkey which did not sign them."""


def lives_line(lives: Sequence[NamedLife]) -> str:
    """The lives that a result rests on, with the number of challenges of each."""
    named = [_life(life) for life in lives[:_SHOWN]]
    more = [f"{len(lives) - _SHOWN} more"] if len(lives) > _SHOWN else []
    count = "one validator's life" if len(lives) == 1 else f"{len(lives)} validators' lives"
    return f"{count}: {', '.join(named + more)}"


def _life(life: NamedLife) -> str:
    uid = "" if life.uid is None else f", uid {life.uid}"
    said = life.false_signatures
    unsigned = f"; {false_signatures_text(said)}" if said else ""
    return f"{printable(life.name)} ({life.challenges} challenges{uid}{unsigned})"
