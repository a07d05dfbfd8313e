"""The command `champion`: shows, sets and rolls back the checkpoint that is deployed; no torch."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.remote_store.named_folder import named_folder
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import JsonOption, StoreOption, print_json, print_table, say

if TYPE_CHECKING:
    from model.champion.promotions import Entry

app = typer.Typer()
_actions = typer.Typer(
    no_args_is_help=True,
    help="Show, set or roll back the champion: the checkpoint that is deployed until another one "
    "beats it.",
    epilog="Example: streetreplay champion set data/store/models/first",
)
app.add_typer(_actions, name="champion")

_SHOWN = 20


@_actions.command(epilog="Example: streetreplay champion show --json")
def show(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show the champion, checked to be what was promoted, and the promotions log.

    In effect is what made something champion; an entry that promoted and is not in effect was
    interrupted before the champion changed.
    """
    from model.champion.champion import entries_in_effect, present_champion  # noqa: PLC0415
    from model.champion.promotions import read_promotions  # noqa: PLC0415

    opened = open_store(store)
    present = present_champion(opened)
    in_effect = {entry.entry for entry in entries_in_effect(opened)}
    entries = read_promotions(opened)
    if as_json:
        listed = [asdict(entry) | {"in_effect": entry.entry in in_effect} for entry in entries]
        print_json(asdict(present) | {"promotions": listed}, indent=1)
        return
    say(f"{present.folder}, sha256 {present.sha256[:12]}, by entry {present.entry}")
    print_table(
        f"promotions, the last {_SHOWN} of {len(entries)}",
        ("entry", "at", "event", "folder", "in effect", "attempt", "difference", "interval"),
        [_cells(entry, in_effect) for entry in entries[-_SHOWN:]],
    )


@_actions.command("set", epilog="Example: streetreplay champion set data/store/models/first")
def set_(
    folder: Annotated[Path, typer.Argument(help="A checkpoint's folder.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a checkpoint champion without a gate, such as the first one."""
    from model.champion.succession import set_champion  # noqa: PLC0415

    opened = open_store(store)
    _print_entry(opened, set_champion(opened, named_folder(opened, folder)), as_json=as_json)


@_actions.command(epilog="Example: streetreplay champion rollback")
def rollback(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Make the champion before this one champion again; repeated, the one before that."""
    from model.champion.succession import roll_back  # noqa: PLC0415

    opened = open_store(store)
    _print_entry(opened, roll_back(opened), as_json=as_json)


def _print_entry(store: Store, entry: "Entry", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(entry), indent=1)
        return
    reasons = "; ".join(entry.reasons)
    say(f"champion is {store.root / entry.folder} (entry {entry.entry}, {entry.event}: {reasons})")


def _cells(entry: "Entry", in_effect: set[int]) -> tuple[object, ...]:
    gate = entry.gate
    interval = None if gate is None or gate.interval is None else gate.interval
    return (
        entry.entry,
        entry.at,
        entry.event,
        entry.folder,
        "yes" if entry.entry in in_effect else "no",
        None if gate is None else gate.attempt,
        None if gate is None else f"{gate.statistic} {gate.difference:+.4f}",
        None if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}",
    )
