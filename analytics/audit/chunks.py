"""Chunks of a validator's life: records read from the warehouse in order, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.lives.score_matrix import MOST_UIDS, list_lengths, score_matrix
from analytics.scoring.metrics import Floats
from analytics.scoring.tracker import METRICS
from analytics.warehouse.statements import statements
from data.records.eras import ERAS, EXPONENTS

COLUMNS = (*METRICS, "reward")
"""Logged numbers of an answer, in the order of `Chunk.logged`."""

# A failed check of its model costs a miner its reward, and no log says so.
_EXCUSED = [era.name for era in ERAS if era.checks_models]
_CHUNK_VALUES = 1 << 20


@dataclass(frozen=True)
class Extent:
    """How large a log is: its challenges, its answers, and `uids`, which all its uids are below.

    `with_scores` challenges have scores; `beyond` answers are of uids that no subnet has.
    """

    challenges: int
    answers: int
    with_scores: int
    beyond: int
    uids: int


@dataclass(frozen=True)
class Chain:
    """A connected stretch of one validator's records: the ordinals of its first and last one."""

    first: int
    last: int


@dataclass(frozen=True)
class Chunk:
    """Some records of a chain, n of them from ordinal `first` on, with their m answers in order.

    `scores` is (n, uids), NaN where none is logged; `lengths` (n,) how many are. `exponents` and
    `excused` (a reward of 0 may come from a failed model check) are (n,). By answer, (m,): its
    record 0..n-1, slot, uid, hotkey as a number, prediction (NaN: not finite), label; and `logged`
    (7, m), the `COLUMNS`, NaN where not logged.
    """

    first: int
    scores: NDArray[np.float32]
    lengths: NDArray[np.int64]
    exponents: Floats
    excused: NDArray[np.bool_]
    records: NDArray[np.int64]
    slots: NDArray[np.int64]
    uids: NDArray[np.int64]
    hotkeys: NDArray[np.int64]
    predictions: Floats
    labels: NDArray[np.int64]
    logged: Floats


def extent(connection: duckdb.DuckDBPyConnection) -> Extent:
    """How large a log is that `lives.order.put_in_order` has put in order."""
    rows = connection.execute(statements("analytics/audit/extent"), {"most": MOST_UIDS})
    return Extent(*rows.fetchall()[0])


def chains(connection: duckdb.DuckDBPyConnection) -> list[Chain]:
    """The connected chains of a log that `lives.order.put_in_order` has put in order."""
    connection.execute(statements("analytics/audit/order"))
    rows = connection.execute(statements("analytics/audit/chains"))
    return [Chain(*row) for row in rows.fetchall()]


def chunks(connection: duckdb.DuckDBPyConnection, chain: Chain, uids: int) -> Iterator[Chunk]:
    """The records of a chain in order; memory is that of one chunk.

    Args:
        connection: to a warehouse for which `chains` was called.
        chain: which.
        uids: all uids are below it.
    """
    size = max(1, _CHUNK_VALUES // max(1, uids))
    for first in range(chain.first, chain.last + 1, size):
        yield _chunk(connection, first, min(first + size - 1, chain.last), uids)


def _chunk(connection: duckdb.DuckDBPyConnection, first: int, last: int, uids: int) -> Chunk:
    bounds: dict[str, Any] = {"first": first, "last": last}
    span = connection.execute(statements("analytics/audit/span"), bounds).fetchall()[0]
    names = ("first_media", "last_media", "first_answer", "last_answer")
    rows = dict(zip(names, span, strict=True))
    media_rows = {name: rows[name] for name in names[:2]}
    records = _table(connection, "records", bounds | media_rows)
    answer_rows = {name: rows[name] for name in names[2:]}
    answers = _table(connection, "answers", bounds | answer_rows | {"uids": uids})
    eras = np.array(records["era"].to_pylist(), dtype=object)
    scores = records["scores"].combine_chunks()
    lengths = list_lengths(scores)
    by_answer = {name: _numbers(answers[name]) for name in answers.column_names}
    record = by_answer["record"].astype(np.int64)
    return Chunk(
        first=first,
        scores=score_matrix(scores, uids),
        lengths=np.where(lengths <= MOST_UIDS, lengths, 0),
        exponents=np.array([EXPONENTS[era] for era in eras], np.float64),
        excused=np.isin(eras, _EXCUSED),
        records=record,
        slots=by_answer["slot"],
        uids=by_answer["uid"],
        hotkeys=by_answer["hotkey"],
        predictions=by_answer["prediction"],
        labels=_numbers(records["label"]).astype(np.int64)[record],
        logged=np.stack([by_answer[name] for name in COLUMNS]),
    )


def _table(connection: duckdb.DuckDBPyConnection, name: str, bounds: dict[str, Any]) -> pa.Table:
    return connection.sql(statements(f"analytics/audit/{name}"), params=bounds).to_arrow_table()


def _numbers(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """A column; NaN for NULL."""
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values


def joined(held: Chunk, more: Chunk) -> Chunk:
    """Two chunks that follow one another as one."""
    shifted = more.records + len(held.scores)
    parts = {}
    for field in fields(Chunk):
        old, new = getattr(held, field.name), getattr(more, field.name)
        if field.name == "records":
            new = shifted
        if field.name != "first":
            parts[field.name] = np.concatenate([old, new], axis=-1 if field.name == "logged" else 0)
    return Chunk(first=held.first, **parts)
