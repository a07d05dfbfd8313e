"""What changed in a store since it was last looked at, kept in the store itself.

Looking again within half an hour is the same visit: a reload does not hide what was new.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from data.kept_values import keep, read_kept
from data.store import Store

_FILE = "last-visits.json"
_SAME_VISIT = timedelta(minutes=30)


@dataclass(frozen=True)
class Visit:
    """What a store held when it was looked at; `at` and `last_logged` are in UTC."""

    at: AwareDatetime
    last_logged: datetime | None
    challenges: int
    responses: int
    miners: int
    rejects: int
    replays: int
    champion: str | None


@dataclass(frozen=True)
class _Visits:
    """The visit that goes on, and the one before."""

    present: Visit
    previous: Visit | None


def previous_visit(store: Store, now: Visit) -> Visit | None:
    """The visit before this one, which is kept; None for the first one.

    Nothing is kept, and nothing found, in a store that may only be read.
    """
    file = store.settings / _FILE
    visits = read_kept(file, _Visits)
    if visits is None:
        previous = None
    elif now.at - visits.present.at < _SAME_VISIT:
        previous = visits.previous
    else:
        previous = visits.present
    keep(file, _Visits(now, previous))
    return previous


def changes(now: Visit, previous: Visit) -> list[str]:
    """What is new, in words; empty where nothing is."""
    counted = (
        (now.challenges - previous.challenges, "challenges"),
        (now.responses - previous.responses, "responses"),
        (now.miners - previous.miners, "miners"),
        (now.rejects - previous.rejects, "rejects"),
        (now.replays - previous.replays, "replays"),
    )
    said = [f"{difference:+,} {what}" for difference, what in counted if difference]
    if now.champion != previous.champion:
        said.append("another champion" if now.champion else "no champion any more")
    return said
