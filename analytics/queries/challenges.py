"""Select challenges from the store, to rebuild or show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from analytics.lives.kept_order import KeptOrder, choose_from_order
from analytics.lives.order import EVERYONE, Choice, put_in_order
from analytics.warehouse.rows import naive_utc
from analytics.warehouse.statements import named_rows, statements
from data.errors import QueryError
from data.records.eras import EXPONENTS
from data.records.stored_challenges import StoredChallenges

_UID_DIGITS = 5
# Pieces of columns so large that the system gets their memory back once they are put together.
_BATCH_ROWS = 262_144


@dataclass(frozen=True)
class ChallengeSelection:
    """Conditions that challenges must meet, all of them; None or empty leaves one out.

    `since` (inclusive) and `until` (exclusive) are UTC where they have no offset; a challenge
    without a time meets neither. `miner` is a uid or `uid:hotkey`, `validator` and `run` are those
    of `lives.Choice`. `sample` is the size of a random sample by `seed`; `limit` takes the first
    in order of validators' lives.
    """

    ids: tuple[str, ...] = ()
    eras: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    miner: str | None = None
    validator: str | None = None
    run: str | None = None
    sample: int | None = None
    seed: int = 0
    limit: int | None = None

    @property
    def lives(self) -> Choice:
        """What is chosen by validator and by run."""
        return Choice(self.validator, self.run)

    @property
    def needs_order(self) -> bool:
        """Whether it cannot be known what is selected before all challenges are in order."""
        return self.limit is not None or self.lives != EVERYONE


def stored_challenges(
    connection: duckdb.DuckDBPyConnection,
    selection: ChallengeSelection = ChallengeSelection(),
    *,
    ordered: bool = True,
    kept: KeptOrder | None = None,
) -> StoredChallenges:
    """The selected challenges, each validator's life in its own order (`lives.put_in_order`).

    Args:
        connection: to a warehouse.
        selection: which challenges.
        ordered: False leaves them in the order of the table, which takes less time and memory.
        kept: the order of this warehouse's challenges; None finds it where it is needed.

    Raises:
        QueryError: the store holds no challenge of one of the ids, a condition cannot be read, or
            a time is asked for of challenges that have none.
    """
    if not (ordered or selection.needs_order):
        connection.execute(statements("analytics/queries/any_order"))
    elif kept is None:
        put_in_order(connection, selection.lives)
    else:
        choose_from_order(connection, kept, selection.lives)
    if selection.since is not None or selection.until is not None:
        _refuse_without_times(*_times(connection))
    connection.execute(statements("analytics/queries/chosen_challenges"), _parameters(selection))
    chosen = connection.sql(statements("analytics/queries/stored_challenges"))
    challenges = StoredChallenges.read(chosen.to_arrow_reader(_BATCH_ROWS))
    if missing := _missing(connection, selection.ids):
        raise QueryError(
            f"challenge {min(missing)}",
            found="no such challenge in this store",
            expected="a challenge_id of the relation media",
        )
    return challenges


def count_without_time(connection: duckdb.DuckDBPyConnection, selection: ChallengeSelection) -> int:
    """How many challenges `stored_challenges`, called before, left out as they have no time."""
    if selection.since is None and selection.until is None:
        return 0
    challenges, timed = _times(connection)
    return challenges - timed


def _times(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Challenges of the chosen validators and runs, and how many of them have a time."""
    challenges, timed = connection.execute(statements("analytics/lives/times")).fetchall()[0]
    return challenges, timed


def _refuse_without_times(challenges: int, timed: int) -> None:
    """Raise where a time is asked for and no challenge has one: nothing would be selected."""
    if challenges and not timed:
        raise QueryError(
            "--since or --until",
            found=f"none of {challenges} challenges has a time",
            expected="challenges of a log that says when they were sent",
            remedy="ingest the W&B run (run-<id>.wandb) that they are from, or leave the time out",
        )


def _missing(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that no challenge of the store has."""
    if not ids:
        return set()
    rows = connection.execute(
        "SELECT challenge_id FROM media WHERE challenge_id IN (SELECT unnest($ids))",
        {"ids": list(ids)},
    )
    return set(ids) - {row[0] for row in rows.fetchall()}


def _parameters(selection: ChallengeSelection) -> dict[str, Any]:
    uid, hotkey = (None, None) if selection.miner is None else parse_miner(selection.miner)
    unknown = set(selection.eras) - EXPONENTS.keys()
    if unknown:
        known = ", ".join(EXPONENTS)
        raise QueryError("--era", found=min(unknown), expected=f"one of {known}")
    return {
        "ids": list(selection.ids) or None,
        "eras": list(selection.eras) or None,
        "levels": list(selection.levels) or None,
        "since": naive_utc(selection.since),
        "until": naive_utc(selection.until),
        "uid": uid,
        "hotkey": hotkey,
        "sample": selection.sample,
        "seed": str(selection.seed),
        "most": selection.limit,
    }


def parse_miner(text: str, what: str = "--miner") -> tuple[int, str | None]:
    """The uid and, if it is named, the hotkey of a miner, from `UID` or `UID:HOTKEY`.

    Args:
        text: as a user gave it.
        what: the name of the option or field, for the error.

    Raises:
        QueryError: it is neither.
    """
    uid, _, hotkey = text.partition(":")
    # a uid is at most 65535
    if not (uid.isascii() and uid.isdigit() and len(uid) <= _UID_DIGITS):
        raise QueryError(what, found=repr(text), expected="UID or UID:HOTKEY")
    return int(uid), hotkey or None


def challenge_metadata(
    connection: duckdb.DuckDBPyConnection, ids: Sequence[str]
) -> list[dict[str, Any]]:
    """The metadata of each challenge, in the order of `ids`, which a deployed model never gets.

    By column: the value or None, and as `<field>_null` why it is None.
    """
    query = statements("analytics/queries/challenge_metadata")
    rows = named_rows(connection.execute(query, {"ids": list(ids)}))
    by_id = {row.pop("challenge_id"): row for row in rows}
    return [by_id[challenge_id] for challenge_id in ids]
