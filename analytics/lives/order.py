"""Whose record it is, and in what order: every challenge at its place in a validator's life.

Several validators log at the same time about the same miners, each with windows and scores of its
own, and one life is spread over many runs and files (DOMAIN.md section 4). Whatever has an order, a
window or a moving average asks here, and works life by life.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from analytics.lives.pieces import cut_streams, in_order_of_names
from analytics.lives.streams import Stream, lives_of, read_streams
from analytics.scoring.ema_rule import EmaRule
from analytics.scoring.tracker import ScoringSettings
from analytics.warehouse.statements import statements
from data.errors import QueryError

_NAMED = 10


@dataclass(frozen=True)
class Choice:
    """Whose challenges: None leaves a condition out, both must hold together.

    `validator` is a hotkey, a validator's uid, or a life's name such as `life-2`; `run` the id of a
    logged W&B run.
    """

    validator: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class Life:
    """One validator's life, as far as it was logged and chosen.

    `name` is the hotkey where a run says it, else `life-` and a number by order of beginning;
    `runs` are the ids of its runs. `challenges` are those chosen, times those of the first and the
    last of them, UTC, None where no time is known.
    """

    number: int
    name: str
    hotkey: str | None
    uid: int | None
    runs: tuple[str, ...]
    challenges: int
    first_time: datetime | None
    last_time: datetime | None


EVERYONE = Choice()


def put_in_order(
    connection: duckdb.DuckDBPyConnection,
    choice: Choice = EVERYONE,
    scoring: ScoringSettings = ScoringSettings(),
) -> list[Life]:
    """Order all chosen challenges, as the temporary table `life_order`; returns their lives.

    `life_order` has a row a challenge: ordinal (from 0 on, life by life), life, chain (a part of
    a life of which scores show that it is connected), media_row (rowid of `media`), challenge_id.

    Args:
        connection: to a warehouse.
        choice: whose.
        scoring: holds the operator's alpha, by which scores go on from one file to the next.

    Raises:
        QueryError: the store holds no such validator or run.
    """
    alpha = scoring.alpha
    rule = EmaRule(np.float32(alpha), np.float32(1.0 - alpha), from_start=False)
    streams = _ordered(connection, rule)
    _write_places(connection, streams)
    lives = [_life(number, chains) for number, chains in enumerate(streams)]
    chosen = _chosen(lives, choice)
    parameters = {"lives": None if chosen is lives else [life.number for life in chosen]}
    connection.execute(statements("analytics/lives/order"), parameters | {"run": choice.run})
    extents = connection.execute(statements("analytics/lives/extent")).fetchall()
    if choice.run is not None and not extents:
        raise _unknown(f"run {choice.run}", chosen)
    return [_with_extent(lives[number], *extent) for number, *extent in extents]


def _ordered(connection: duckdb.DuckDBPyConnection, rule: EmaRule) -> list[list[list[Stream]]]:
    connection.execute(statements("analytics/lives/streams"))
    cut_streams(connection, rule)
    pieces = read_streams(connection)
    lives = lives_of(rule, pieces)
    streams = in_order_of_names(pieces, lives)
    return lives if len(streams) == len(pieces) else lives_of(rule, streams)


def _write_places(
    connection: duckdb.DuckDBPyConnection, lives: Sequence[Sequence[Sequence[Stream]]]
) -> None:
    rows = [
        (stream.number, piece, life, chain, place)
        for life, chains in enumerate(lives)
        for chain, members in enumerate(chains)
        for place, (stream, piece) in enumerate(
            (stream, piece) for stream in members for piece in stream.pieces
        )
    ]
    names = ("stream", "piece", "life", "chain", "place")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    table = pa.table(
        {name: pa.array(values, pa.int64()) for name, values in zip(names, columns, strict=True)}
    )
    connection.register("piece_place_rows", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE piece_places AS FROM piece_place_rows")
    connection.unregister("piece_place_rows")


def _life(number: int, chains: Sequence[Sequence[Stream]]) -> Life:
    streams = [stream for chain in chains for stream in chain]
    hotkey = next((one.hotkey for one in streams if one.hotkey is not None), None)
    runs = tuple(dict.fromkeys(one.run for one in streams if one.run is not None))
    # a validator may have had several uids; the last one counts
    uids = [one.uid for one in streams if one.uid is not None]
    return Life(
        number=number,
        name=hotkey or f"life-{number + 1}",
        hotkey=hotkey,
        uid=uids[-1] if uids else None,
        runs=runs,
        challenges=0,
        first_time=None,
        last_time=None,
    )


def _with_extent(
    life: Life, challenges: int, first_time: datetime | None, last_time: datetime | None
) -> Life:
    counted: dict[str, Any] = {"challenges": challenges}
    counted |= {"first_time": first_time, "last_time": last_time}
    return Life(**(vars(life) | counted))


def _chosen(lives: list[Life], choice: Choice) -> list[Life]:
    if choice.validator is None:
        return lives
    wanted = choice.validator
    chosen = [
        one
        for one in lives
        if wanted in (one.hotkey, one.name) or (one.uid is not None and wanted == str(one.uid))
    ]
    if not chosen:
        raise _unknown(f"validator {wanted}", lives)
    return chosen


def _unknown(what: str, lives: Sequence[Life]) -> QueryError:
    names = [one.name if one.uid is None else f"{one.name} (uid {one.uid})" for one in lives]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return QueryError(
        what,
        found="no challenge of it in this store",
        expected=f"one of the lives {', '.join(names[:_NAMED])}{more}"
        if what.startswith("validator")
        else "the id of a run that was ingested",
        remedy='see `streetreplay sql "SELECT run_id, name, config FROM runs"`',
    )
