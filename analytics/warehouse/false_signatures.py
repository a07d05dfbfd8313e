"""W&B runs that name a validator who did not sign them: whose numbers they hold is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from analytics.warehouse.statements import statements
from data.text import printable

_SHOWN = 3
_ID_SHOWN = 64


@dataclass(frozen=True)
class FalseSignature:
    """A run, and the hotkey (SS58) that its config names and that did not sign it."""

    run_id: str
    hotkey: str


def false_signatures(connection: duckdb.DuckDBPyConnection) -> list[FalseSignature]:
    """The runs of a warehouse whose signature is false, in order of their ids."""
    rows = connection.execute(statements("analytics/warehouse/false_signatures")).fetchall()
    return [FalseSignature(*row) for row in rows]


def false_signatures_text(signatures: Sequence[FalseSignature]) -> str:
    """In a few words which runs name which hotkey without its signature; escaped, in one line."""
    runs = [
        f"run {printable(signature.run_id, _ID_SHOWN)} names hotkey "
        f"{printable(signature.hotkey, _ID_SHOWN)}"
        for signature in signatures[:_SHOWN]
    ]
    more = [f"{len(signatures) - _SHOWN} more runs name one"] if len(signatures) > _SHOWN else []
    signed = "that did not sign it" if len(signatures) == 1 else "that did not sign them"
    return f"SIGNATURE FALSE: {', '.join(runs + more)} {signed}"
