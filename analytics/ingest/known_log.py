"""A log as a store holds it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownLog:
    """A log as the store holds it; `records` is None where reading cannot go on behind them."""

    path: str
    sha256: str
    kind: str
    bytes: int | None
    records: int | None
    state: str
    reader: str
