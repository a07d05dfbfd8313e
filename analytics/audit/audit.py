"""The audit: every logged metric, reward and score recomputed from a log's answers and labels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import duckdb
import numpy as np

from analytics.audit.chunks import Chain, chains, chunks, extent
from analytics.audit.coverage import covered, first_answers_agree
from analytics.audit.ema_gaps import Interruption
from analytics.audit.rederive import AuditedChunk, AuditPass
from analytics.audit.verdicts import BEYOND, CHECKED, Tally, Wrong
from analytics.lives.order import Life, put_in_order
from analytics.scoring.ema_rule import EmaRule
from analytics.scoring.tracker import ScoringSettings
from analytics.warehouse.statements import statements
from data.errors import QueryError
from data.progress import no_report

Progress = Callable[[int], None]

# without a limit DuckDB takes up to 80 % of the machine's memory
_MEMORY = "1GB"


@dataclass(frozen=True)
class AuditSettings:
    """How to audit.

    `from_start`: take the log as complete from each validator's first challenge; then everything is
    checked, each score against the expected one before. `scoring` holds the operator's alpha.
    """

    from_start: bool = False
    scoring: ScoringSettings = field(default_factory=ScoringSettings)


@dataclass(frozen=True)
class Mismatch:
    """A logged number that does not follow from the log's predictions, labels and hotkeys.

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
    """A gap just before a record: at least `missing` records, which may have asked `uids` uids.

    At a `restart` (all scores at 0 again) the number of missing records is unknown, 0.
    """

    file: str
    position: int
    restart: bool
    missing: int
    uids: int


@dataclass(frozen=True)
class AuditReport:
    """Numbers checked by column and not checkable by reason, mismatches and gaps in order.

    The audited `lives` are in `chains` connected stretches of log, of which `from_first` start with
    a validator's first challenge. Of `uncovered_paid` answers, paid and without a covered window,
    `accuracy_recovered` gave the accuracy over the last ten.
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
    accuracy_recovered: int
    uncovered_paid: int


@dataclass(frozen=True)
class _GapByOrdinal:
    """As `Gap`, before the record of this ordinal in the order of the audit."""

    ordinal: int
    restart: bool
    missing: int
    uids: int


def audit(
    connection: duckdb.DuckDBPyConnection,
    settings: AuditSettings = AuditSettings(),
    on_progress: Progress = no_report,
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
    on_progress: Progress = no_report,
) -> AuditReport:
    """Audit lives that `lives.order.put_in_order` has put in order, with the settings' scoring.

    Two passes over the log in constant memory: the first finds gaps and which windows are covered,
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
    auditing = _Auditing(connection, settings, size.uids, on_progress)
    for chain in chains(connection):
        auditing.add(chain)
    tally = auditing.tally
    if size.beyond:
        tally.unchecked[BEYOND] += size.beyond * (len(CHECKED) - 1)
    positions = _positions(connection, tally.wrong, auditing.gaps)
    return AuditReport(
        challenges=size.challenges,
        answers=size.answers,
        lives=lives,
        chains=auditing.chains,
        from_first=auditing.from_first,
        checked={column: tally.checked[column] for column in CHECKED},
        unchecked=dict(tally.unchecked.most_common()),
        mismatches=[
            _mismatch(wrong, *positions[wrong.ordinal])
            for wrong in sorted(tally.wrong, key=_report_order)
        ],
        gaps=[
            Gap(*positions[gap.ordinal], restart=gap.restart, missing=gap.missing, uids=gap.uids)
            for gap in auditing.gaps
        ],
        accuracy_recovered=tally.accuracy_recovered,
        uncovered_paid=tally.uncovered_paid,
    )


class _Auditing:
    """The counts, wrong numbers and gaps of a log's chains, added one after the other."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        settings: AuditSettings,
        uids: int,
        on_progress: Progress,
    ) -> None:
        self.tally = Tally()
        self.gaps: list[_GapByOrdinal] = []
        self.chains = 0
        self.from_first = 0
        self._connection = connection
        self._settings = settings
        self._uids = uids
        self._on_progress = on_progress

    def add(self, chain: Chain) -> None:
        """Audit one chain in two passes."""
        first = self._new_pass()
        for audited in self._audited(first, chain):
            self.gaps.extend(_gaps(audited))
        complete = first.starts_at_zero and first_answers_agree(first.stretches)
        for audited in self._audited(self._new_pass(), chain):
            known = covered(
                first.stretches,
                audited.stretches,
                audited.ordinals,
                window=self._settings.scoring.metrics_window,
                complete=complete,
            )
            self.tally.add(audited, known, first.stretches.starts[audited.stretches])
        self.chains += 1
        if complete:
            self.from_first += 1

    def _new_pass(self) -> AuditPass:
        scoring, from_start = self._settings.scoring, self._settings.from_start
        rule = EmaRule(np.float32(scoring.alpha), np.float32(1.0 - scoring.alpha), from_start)
        return AuditPass(self._uids, settings=scoring, rule=rule, exact_start=from_start)

    def _audited(self, audit_pass: AuditPass, chain: Chain) -> Iterator[AuditedChunk]:
        for audited in audit_pass.over(chunks(self._connection, chain, self._uids)):
            yield audited
            self._on_progress(len(audited.chunk.scores))


def _gaps(audited: AuditedChunk) -> list[_GapByOrdinal]:
    verdicts = audited.verdicts
    return [
        _GapByOrdinal(
            ordinal=audited.chunk.first + record,
            restart=bool(verdicts.interruptions[record] == Interruption.RESTART),
            missing=int(verdicts.missing[record]),
            uids=int(np.count_nonzero(verdicts.hidden[record])),
        )
        for record in np.flatnonzero(verdicts.interruptions != Interruption.NONE).tolist()
    ]


def _positions(
    connection: duckdb.DuckDBPyConnection, wrong: list[Wrong], gaps: list[_GapByOrdinal]
) -> dict[int, tuple[str, int]]:
    """File and position of each record with a wrong number or after a gap, by its ordinal."""
    ordinals = sorted({number.ordinal for number in wrong} | {gap.ordinal for gap in gaps})
    rows = connection.execute(statements("analytics/audit/positions"), {"ordinals": ordinals})
    return {ordinal: (file, position) for ordinal, file, position in rows.fetchall()}


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
