"""Pieces of streams: a stream of no run is cut where a record's scores do not follow by the EMA.

A folder may hold what several runs or validators logged, under names that repeat, and a file may
hold lines of several logs. Records that scores show to be out of order, or of another validator,
then become a stream of their own.
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
    """Make the temporary table `life_pieces` from `life_streams`, in constant memory."""
    rows: list[int] = []
    last_stream, last_scores = -1, np.empty(0, np.float32)
    for batch in connection.sql(statements("analytics/lives/cut")).to_arrow_reader(_BATCH):
        lengths = list_lengths(batch["scores"])
        widest = max(len(last_scores), int(lengths[lengths <= MOST_UIDS].max(initial=0)))
        scores = np.full((1 + batch.num_rows, widest), np.nan, np.float32)
        scores[0, : len(last_scores)] = last_scores
        scores[1:] = score_matrix(batch["scores"], widest)
        streams = np.append(last_stream, batch["stream"].to_numpy())
        asked = batch["asked"].to_numpy()
        cut = _breaks(rule, scores, asked) & (streams[1:] == streams[:-1])
        rows += batch["media_row"].to_numpy()[cut].tolist()
        last_stream, last_scores = int(streams[-1]), scores[-1]
    connection.register("life_cut_rows", pa.table({"media_row": pa.array(rows, pa.int64())}))
    connection.execute("CREATE OR REPLACE TEMP TABLE life_cuts AS FROM life_cut_rows")
    connection.unregister("life_cut_rows")
    connection.execute(statements("analytics/lives/pieces"))


@compiled
def _breaks(rule: EmaRule, scores: Float32s, asked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether more scores changed before each record than it asked miners, (n - 1,).

    All others must be one EMA step on: a uid that is not asked keeps its score or decays.
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


def joined_pieces(
    pieces: Sequence[Stream], lives: Sequence[Sequence[Sequence[Stream]]]
) -> list[Stream]:
    """Pieces joined to streams again, but for those that scores connect to another stream's.

    Args:
        pieces: of streams, in order of time and of pieces.
        lives: into which scores put the pieces, see `chains.lives_of`.
    """
    last = {piece.number: piece.pieces[-1] for piece in pieces}
    split: set[int] = set()
    links = [link for life in lives for chain in life for link in pairwise(chain)]
    for before, after in links:
        ends, begins = before.pieces[-1], after.pieces[0]
        if before.number == after.number and begins == ends + 1:
            continue
        if ends < last[before.number]:
            split.add(before.number)
        if begins > 0:
            split.add(after.number)
    return _joined(pieces, split)


def _joined(pieces: Sequence[Stream], split: set[int]) -> list[Stream]:
    """Streams with all their pieces; the pieces of `split` streams stay apart."""
    streams: dict[tuple[int, int], Stream] = {}
    for piece in pieces:
        key = (piece.number, piece.pieces[0] if piece.number in split else 0)
        if key in streams:
            pieces_so_far = streams[key].pieces
            streams[key] = replace(
                streams[key], pieces=pieces_so_far + piece.pieces, last=piece.last
            )
        else:
            streams[key] = piece
    return list(streams.values())
