"""The validator's arithmetic re-done for every logged number: what is right, wrong, unknowable."""

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb
import numpy as np

from analytics.audit.chunks import Chain, Extent, chains, chunks, extent
from analytics.audit.coverage import covered, first_answers_agree
from analytics.audit.ema_gaps import NOTHING, RESTART
from analytics.audit.rederive import AuditedChunk, AuditPass
from analytics.audit.verdicts import BEYOND, CHECKED, Tally, Wrong
from analytics.lives.order import Life, put_in_order
from analytics.scoring.ema_rule import EmaRule
from analytics.scoring.tracker import ScoringSettings
from analytics.warehouse.statements import statements
from data.errors import QueryError

Progress = Callable[[int], None]

# DuckDB would keep as much of the log in memory as the machine has
_MEMORY = "1GB"


def _quiet(_done: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class AuditSettings:
    """How to audit.

    `from_start`: the log is complete from each validator's first challenge; then everything is
    checked, and scores are carried on from our own. `scoring` holds the operator's alpha.
    """

    from_start: bool = False
    scoring: ScoringSettings = field(default_factory=ScoringSettings)


@dataclass(frozen=True)
class Mismatch:
    """A logged number that is not what the log's own predictions, labels and hotkeys give.

    `position` is the record's in its file, `slot` the answer's in its record (None for a score).
    """

    file: str
    position: int
    slot: int | None
    uid: int
    column: str
    logged: float
    expected: float


@dataclass(frozen=True)
class Gap:
    """Just before a record the log lacks `missing` records at least, which may have asked `uids`.

    Of a `restart` (all scores at 0 again) `missing` is unknown, 0.
    """

    file: str
    position: int
    restart: bool
    missing: int
    uids: int


@dataclass(frozen=True)
class AuditReport:
    """Numbers checked by column and unchecked by reason, mismatches and holes in order.

    `lives` are the validators' that it rests on; their log is in `chains` connected stretches, of
    which `from_first` start with a validator's first challenge. `recovered` of `tried` answers
    without a covered window gave the hidden accuracy over the last ten.
    """

    challenges: int
    answers: int
    lives: list[Life]
    chains: int
    from_first: int
    checked: dict[str, int]
    unchecked: dict[str, int]
    mismatches: list[Mismatch]
    gaps: list[Gap]
    recovered: int
    tried: int


@dataclass(frozen=True)
class _GapByOrdinal:
    """A gap by ordinal; see `Gap`."""

    ordinal: int
    restart: bool
    missing: int
    uids: int


def audit(
    connection: duckdb.DuckDBPyConnection,
    settings: AuditSettings = AuditSettings(),
    on_progress: Progress = _quiet,
) -> AuditReport:
    """Recompute every metric, reward and score of a warehouse's log.

    Args:
        connection: to a warehouse; gets temporary tables and a limit of memory.
        settings: how.
        on_progress: called with the number of records done, each record twice.

    Raises:
        QueryError: the store holds no challenge, or no number of these columns.
    """
    lives = put_in_order(connection, scoring=settings.scoring)
    return audit_lives(connection, lives, settings, on_progress)


def audit_lives(
    connection: duckdb.DuckDBPyConnection,
    lives: list[Life],
    settings: AuditSettings = AuditSettings(),
    on_progress: Progress = _quiet,
) -> AuditReport:
    """The same of lives that `lives.put_in_order` has put in order, with the settings' scoring.

    Two passes over the log in constant memory: the first finds holes and which windows are covered,
    the second checks.

    Raises:
        QueryError: as `audit`.
    """
    size = extent(connection)
    if size.challenges == 0 or (size.answers == 0 and size.with_scores == 0):
        raise QueryError(
            "audit",
            found=f"{size.challenges} challenges with {size.answers} answers",
            expected="a validator's log with predictions, rewards or scores",
            remedy="run `streetreplay ingest LOG`",
        )
    connection.execute(f"SET memory_limit = '{_MEMORY}'")
    tally, found, from_first = Tally(), list[_GapByOrdinal](), 0
    parts = chains(connection)
    for chain in parts:
        from_first += _audit_chain(
            connection, settings, chain, size.uids, tally, found, on_progress
        )
    if size.beyond:
        tally.unchecked[BEYOND] += size.beyond * (len(CHECKED) - 1)
    return _report(connection, size, (lives, len(parts), from_first), tally, found)


def _rule(settings: AuditSettings) -> EmaRule:
    alpha = settings.scoring.alpha
    return EmaRule(np.float32(alpha), np.float32(1.0 - alpha), settings.from_start)


def _audit_chain(
    connection: duckdb.DuckDBPyConnection,
    settings: AuditSettings,
    chain: Chain,
    uids: int,
    tally: Tally,
    found: list[_GapByOrdinal],
    on_progress: Progress,
) -> bool:
    """Count one chain; whether it starts with the validator's first challenge."""

    def fresh() -> AuditPass:
        return AuditPass(
            uids,
            settings=settings.scoring,
            rule=_rule(settings),
            exact_start=settings.from_start,
        )

    first = fresh()
    for audited in first.over(chunks(connection, chain, uids)):
        found.extend(_gaps(audited))
        on_progress(len(audited.chunk.scores))
    whole = first.starts_at_zero and first_answers_agree(first.stretches)
    second = fresh()
    for audited in second.over(chunks(connection, chain, uids)):
        window = settings.scoring.metrics_window
        known = covered(first.stretches, audited.stretches, audited.places, window, whole)
        tally.add(audited, known, first.stretches.starts[audited.stretches])
        on_progress(len(audited.chunk.scores))
    return whole


def _gaps(audited: AuditedChunk) -> list[_GapByOrdinal]:
    verdicts = audited.verdicts
    return [
        _GapByOrdinal(
            ordinal=audited.chunk.first + record,
            restart=bool(verdicts.events[record] == RESTART),
            missing=int(verdicts.missing[record]),
            uids=int(np.count_nonzero(verdicts.hidden[record])),
        )
        for record in np.flatnonzero(verdicts.events != NOTHING).tolist()
    ]


def _report(
    connection: duckdb.DuckDBPyConnection,
    size: Extent,
    parts: tuple[list[Life], int, int],
    tally: Tally,
    found: list[_GapByOrdinal],
) -> AuditReport:
    wrong = sorted(tally.wrong, key=_report_order)
    ordinals = sorted({one.ordinal for one in wrong} | {gap.ordinal for gap in found})
    rows = connection.execute(statements("analytics/audit/places"), {"ordinals": ordinals})
    places = {ordinal: (file, position) for ordinal, file, position in rows.fetchall()}
    lives, count, from_first = parts
    return AuditReport(
        challenges=size.challenges,
        answers=size.answers,
        lives=lives,
        chains=count,
        from_first=from_first,
        checked={column: tally.checked[column] for column in CHECKED},
        unchecked=dict(tally.unchecked.most_common()),
        mismatches=[_mismatch(one, *places[one.ordinal]) for one in wrong],
        gaps=[
            Gap(*places[gap.ordinal], restart=gap.restart, missing=gap.missing, uids=gap.uids)
            for gap in found
        ],
        recovered=tally.recovered,
        tried=tally.tried,
    )


def _report_order(wrong: Wrong) -> tuple[int, bool, int, int]:
    return (wrong.ordinal, wrong.slot is None, wrong.slot or 0, CHECKED.index(wrong.column))


def _mismatch(wrong: Wrong, file: str, position: int) -> Mismatch:
    return Mismatch(
        file=file,
        position=position,
        slot=wrong.slot,
        uid=wrong.uid,
        column=wrong.column,
        logged=wrong.logged,
        expected=wrong.expected,
    )
