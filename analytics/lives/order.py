"""Put a store's challenges in order, life by life: which validator logged each, and when.

Several validators log at the same time about the same miners, each with its own windows and scores,
and one life is spread over many runs and files (DOMAIN.md section 4). So everything that has an
order, a window or a moving average works on this order, one life at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from analytics.lives.chains import lives_of
from analytics.lives.pieces import cut_streams, joined_pieces
from analytics.lives.streams import Stream, read_streams
from analytics.scoring.ema_rule import EmaRule
from analytics.scoring.tracker import ScoringSettings
from analytics.warehouse.false_signatures import FalseSignature, false_signatures
from analytics.warehouse.statements import statements
from data.errors import QueryError

_NAMED = 10


@dataclass(frozen=True)
class Choice:
    """Which challenges, by validator and by run; None means all.

    `validator` is a hotkey, a validator's uid, or a life's name such as `life-2`; `run` is the id
    of a logged W&B run.
    """

    validator: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class Life:
    """One validator's life, as far as it was logged and chosen.

    `name` is the hotkey where a run says it, else `life-` and its number, from 1 on, by beginning;
    `runs` are the ids of its runs. `challenges` is the number of chosen ones; the times are those
    of the first and the last of them, UTC, None where no time is known. `false_signatures` are its
    runs that name a hotkey which did not sign them.
    """

    number: int
    name: str
    hotkey: str | None
    uid: int | None
    runs: tuple[str, ...]
    challenges: int
    first_time: datetime | None
    last_time: datetime | None
    false_signatures: tuple[FalseSignature, ...] = ()


EVERYONE = Choice()


def put_in_order(
    connection: duckdb.DuckDBPyConnection,
    choice: Choice = EVERYONE,
    scoring: ScoringSettings = ScoringSettings(),
) -> list[Life]:
    """Order all chosen challenges, as the temporary table `life_order`; returns their lives.

    `life_order` has a row a challenge: ordinal (from 0 on, life by life), life, chain (a part of
    a life of which scores show that it is connected), media_row (rowid of `media`).

    Args:
        connection: to a warehouse.
        choice: which challenges.
        scoring: holds the operator's alpha, to see which file's scores go on in another file.

    Raises:
        QueryError: the store holds no such validator or run.
    """
    alpha = scoring.alpha
    rule = EmaRule(np.float32(alpha), np.float32(1.0 - alpha), from_start=False)
    streams = _lives(connection, rule)
    _write_order(connection, streams)
    unsigned = [
        signature
        for signature in false_signatures(connection)
        if choice.run is None or choice.run == signature.run_id
    ]
    lives = [_life(number, chains, unsigned) for number, chains in enumerate(streams)]
    connection.execute(statements("analytics/lives/order"), choice_parameters(lives, choice))
    # a row a challenge, which what comes next has better use for
    connection.execute("DROP TABLE life_streams; DROP TABLE life_files")
    extents = connection.execute(statements("analytics/lives/extent")).fetchall()
    if choice.run is not None and not extents:
        raise unknown_run(choice.run)
    return [_with_extent(lives[number], *extent) for number, *extent in extents]


def _lives(connection: duckdb.DuckDBPyConnection, rule: EmaRule) -> list[list[list[Stream]]]:
    """Lives of chains of streams. Streams that scores cut needlessly are joined again first."""
    connection.execute(statements("analytics/lives/streams"))
    cut_streams(connection, rule)
    pieces = read_streams(connection)
    lives = lives_of(rule, pieces)
    streams = joined_pieces(pieces, lives)
    return lives if len(streams) == len(pieces) else lives_of(rule, streams)


def _write_order(
    connection: duckdb.DuckDBPyConnection, lives: Sequence[Sequence[Sequence[Stream]]]
) -> None:
    """Make the temporary table `piece_order`: life, chain and ordinal in it of every piece."""
    rows = [
        (stream.number, piece, life, chain)
        for life, chains in enumerate(lives)
        for chain, streams in enumerate(chains)
        for stream in streams
        for piece in stream.pieces
    ]
    numbers = np.array(rows, np.int64).reshape(-1, 4)
    columns = {
        name: pa.array(numbers[:, column])
        for column, name in enumerate(("stream", "piece", "life", "chain"))
    }
    table = pa.table(columns | {"piece_ordinal": pa.array(range(len(rows)), pa.int64())})
    connection.register("piece_order_rows", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE piece_order AS FROM piece_order_rows")
    connection.unregister("piece_order_rows")


def _life(
    number: int, chains: Sequence[Sequence[Stream]], unsigned: Sequence[FalseSignature]
) -> Life:
    streams = [stream for chain in chains for stream in chain]
    hotkey = next((stream.hotkey for stream in streams if stream.hotkey is not None), None)
    runs = tuple(dict.fromkeys(stream.run for stream in streams if stream.run is not None))
    # a validator may have had several uids; the last one counts
    uids = [stream.uid for stream in streams if stream.uid is not None]
    return Life(
        number=number,
        name=hotkey or f"life-{number + 1}",
        hotkey=hotkey,
        uid=uids[-1] if uids else None,
        runs=runs,
        challenges=0,
        first_time=None,
        last_time=None,
        false_signatures=tuple(signature for signature in unsigned if signature.run_id in runs),
    )


def _with_extent(
    life: Life, challenges: int, first_time: datetime | None, last_time: datetime | None
) -> Life:
    return replace(life, challenges=challenges, first_time=first_time, last_time=last_time)


def choice_parameters(lives: Sequence[Life], choice: Choice) -> dict[str, Any]:
    """A choice as the parameters of a query: numbers of `lives`, None for all of them, and `run`.

    Raises:
        QueryError: none of the lives is that of the chosen validator.
    """
    wanted = choice.validator
    if wanted is None:
        return {"lives": None, "run": choice.run}
    chosen = [
        life.number
        for life in lives
        if wanted in (life.hotkey, life.name) or (life.uid is not None and wanted == str(life.uid))
    ]
    if not chosen:
        names = [
            life.name if life.uid is None else f"{life.name} (uid {life.uid})" for life in lives
        ]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        known = f"one of the lives {', '.join(names[:_NAMED])}{more}"
        raise _unknown(f"validator {wanted}", known)
    return {"lives": chosen, "run": choice.run}


def unknown_run(run: str) -> QueryError:
    """The error of a choice of a run of which the store holds no challenge."""
    return _unknown(f"run {run}", "the id of a run that was ingested")


def _unknown(what: str, known: str) -> QueryError:
    return QueryError(
        what,
        found="no challenge of it in this store",
        expected=known,
        remedy='see `streetreplay sql "SELECT run_id, name, config FROM runs"`',
    )
