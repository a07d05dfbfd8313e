"""Streams of no run cut where a record does not go on from the one before.

A folder may hold what several runs or validators logged, under names that begin again, and a file
may hold lines of several logs. What scores show to be out of order, or of another validator, is
then a stream of its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.lives.score_matrix import MOST_UIDS, list_lengths, score_matrix
from analytics.lives.streams import Stream
from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import EmaRule, Float32s, step
from analytics.warehouse.statements import statements

_BATCH = 4096


def cut_streams(connection: duckdb.DuckDBPyConnection, rule: EmaRule) -> None:
    """Make the temporary table `life_pieces` of `life_streams`, in constant memory."""
    rows: list[int] = []
    stream, scores = -1, np.empty(0, np.float32)
    for batch in connection.sql(statements("analytics/lives/cut")).to_arrow_reader(_BATCH):
        lengths = list_lengths(batch["scores"])
        widest = max(len(scores), int(lengths[lengths <= MOST_UIDS].max(initial=0)))
        found = np.full((1 + batch.num_rows, widest), np.nan, np.float32)
        found[0, : len(scores)] = scores
        found[1:] = score_matrix(batch["scores"], widest)
        streams = np.append(stream, batch["stream"].to_numpy())
        asked = batch["asked"].to_numpy()
        cut = _breaks(rule, found, asked) & (streams[1:] == streams[:-1])
        rows += batch["media_row"].to_numpy()[cut].tolist()
        stream, scores = int(streams[-1]), found[-1]
    connection.register("life_cut_rows", pa.table({"media_row": pa.array(rows, pa.int64())}))
    connection.execute("CREATE OR REPLACE TEMP TABLE life_cuts AS FROM life_cut_rows")
    connection.unregister("life_cut_rows")
    connection.execute(statements("analytics/lives/pieces"))


@compiled
def _breaks(rule: EmaRule, scores: Float32s, asked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n - 1,), whether more scores moved before each record than it asked miners.

    All others are what they become in one record; those not logged tell nothing.
    """
    broken = np.zeros(len(scores) - 1, np.bool_)
    for record in range(len(broken)):
        moved = 0
        for uid in range(scores.shape[1]):
            old, new = scores[record, uid], scores[record + 1, uid]
            if np.isnan(old) or np.isnan(new):
                continue
            moved += new not in (step(rule, old, old), step(rule, old, np.float32(0)))
        broken[record] = moved > asked[record]
    return broken


def in_order_of_names(
    pieces: Sequence[Stream], lives: Sequence[Sequence[Sequence[Stream]]]
) -> list[Stream]:
    """Streams whole again, unless scores say that something else belongs between their pieces.

    Args:
        pieces: of streams, in order of time and of pieces.
        lives: that scores put together of them.
    """
    last = {piece.number: piece.pieces[-1] for piece in pieces}
    contradicted: set[int] = set()
    for chain in (chain for life in lives for chain in life):
        for before, after in pairwise(chain):
            ends, begins = before.pieces[-1], after.pieces[0]
            if before.number == after.number and begins == ends + 1:
                continue
            if ends < last[before.number]:
                contradicted.add(before.number)
            if begins > 0:
                contradicted.add(after.number)
    return _whole(pieces, contradicted)


def _whole(pieces: Sequence[Stream], contradicted: set[int]) -> list[Stream]:
    found: dict[tuple[int, int], Stream] = {}
    for piece in pieces:
        apart = piece.number in contradicted
        key = (piece.number, piece.pieces[0] if apart else 0)
        begun = found.get(key)
        found[key] = (
            piece
            if begun is None
            else replace(begun, pieces=begun.pieces + piece.pieces, last=piece.last)
        )
    return list(found.values())
