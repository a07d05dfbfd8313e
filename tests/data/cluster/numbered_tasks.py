"""Tasks that are told apart by a number."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Numbered:
    """A task without work."""

    number: int

    @property
    def name(self) -> str:
        return f"part {self.number}"

    def done_by(self, worker: Any) -> Any:
        raise NotImplementedError


def tasks(count: int) -> list[Numbered]:
    return [Numbered(number) for number in range(count)]
