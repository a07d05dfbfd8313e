"""Streams of a log: the records of one run's segment or one file, ordered by step or position."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from analytics.lives.score_matrix import MOST_UIDS, list_lengths, score_matrix
from analytics.scoring.ema_rule import Float32s
from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class _RunValidator:
    """The validator that a run's files name: hotkey and uid, each None where they do not.

    Without `has_id` the run is named by a downloaded folder, and another run's folder may have the
    same name.
    """

    hotkey: str | None = None
    uid: int | None = None
    has_id: bool = True


@dataclass(frozen=True)
class Stream:
    """The records of a run's segment, a file, or a folder of single records; or `pieces` of them.

    Attributes:
        number: of the stream; pieces of one stream share it.
        pieces: numbers of its pieces, in order; see `pieces.cut_streams`.
        time: of the first record or the run's start, UTC; None where not known.
        file: of its first record.
        era: of its first record.
        run: the W&B run's id; None where no run is known.
        hotkey: the validator's; None where no file names it.
        uid: the validator's; None where no file names it.
        first: scores of its first record, (uids,), NaN for the uids that it asked.
        last: scores of its last record, (uids,).
        fresh: its first record has no history: each miner's accuracy is that of one answer.
        run_has_id: `run` is W&B's own id, not a folder's name, which may repeat.
    """

    number: int
    pieces: tuple[int, ...]
    time: datetime | None
    file: str
    era: str
    run: str | None
    hotkey: str | None
    uid: int | None
    first: Float32s
    last: Float32s
    fresh: bool = False
    run_has_id: bool = True


def read_streams(connection: duckdb.DuckDBPyConnection) -> list[Stream]:
    """The pieces in `life_pieces`, by time where it is known, then by name and number."""
    validators = _run_validators(connection)
    table = connection.sql(statements("analytics/lives/ends")).to_arrow_table()
    column = table["scores"].combine_chunks()
    lengths = list_lengths(column)
    scores = score_matrix(column, int(lengths[lengths <= MOST_UIDS].max(initial=0)))
    rows = table.drop_columns(["scores"]).to_pylist()
    firsts = [index for index, row in enumerate(rows) if row["is_first"]]
    lasts = [index for index, row in enumerate(rows) if row["is_last"]]
    streams = [
        _stream(rows[first], scores[first], scores[last], validators)
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return sorted(streams, key=_by_time(streams))


def _stream(
    row: dict[str, Any], first: Float32s, last: Float32s, validators: "_RunValidators"
) -> Stream:
    """A piece from the row of its first record and the scores of its first and last ones."""
    validator = _validator_of(validators, row["run_id"], row["segment"])
    return Stream(
        number=row["stream"],
        pieces=(row["piece"],),
        time=row["time"],
        file=row["file"],
        era=row["era"],
        run=row["run_id"],
        hotkey=validator.hotkey,
        uid=validator.uid,
        run_has_id=validator.has_id,
        first=_unasked(first, row["uids"]),
        last=last,
        fresh=row["fresh"],
    )


_RunValidators = dict[tuple[str, int | None], _RunValidator]
"""By run and segment; by run and None for all of a run."""


def _run_validators(connection: duckdb.DuckDBPyConnection) -> _RunValidators:
    rows = connection.execute(statements("analytics/lives/runs")).fetchall()
    return {(run, segment): _RunValidator(*validator) for run, segment, *validator in rows}


def _validator_of(
    validators: _RunValidators, run: str | None, segment: int | None
) -> _RunValidator:
    """The validator of a segment: as its own files name it, else as its run's files do."""
    if run is None:
        return _RunValidator()
    of_run = validators.get((run, None), _RunValidator())
    of_segment = validators.get((run, segment), _RunValidator())
    return _RunValidator(
        of_run.hotkey if of_segment.hotkey is None else of_segment.hotkey,
        of_run.uid if of_segment.uid is None else of_segment.uid,
        of_run.has_id,
    )


def _unasked(scores: Float32s, asked: Sequence[int]) -> Float32s:
    """Scores without those of the uids that were asked (NaN)."""
    unasked = scores.copy()
    unasked[[uid for uid in asked if uid < len(scores)]] = np.nan
    return unasked


def _by_time(streams: Sequence[Stream]) -> Any:
    """A sort key: time where it is known, else names, with a run's segments together."""
    names: dict[str, list[tuple[int, str]]] = {}
    times: dict[int, datetime | None] = {}
    for stream in streams:
        times.setdefault(stream.number, stream.time)
        name = _natural(stream.file)
        names[_run_or_file(stream)] = min(name, names.get(_run_or_file(stream), name))

    def key(stream: Stream) -> tuple[Any, ...]:
        name = names[_run_or_file(stream)]
        time = times[stream.number]
        return (time is None, time or datetime.min, name, stream.number, stream.pieces)

    return key


def _run_or_file(stream: Stream) -> str:
    return f"file {stream.file}" if stream.run is None else f"run {stream.run}"


def _natural(name: str) -> list[tuple[int, str]]:
    """A name with the numbers in it as numbers: part_2 before part_10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
