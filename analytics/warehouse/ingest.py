"""Logs into the warehouse: read, stage, merge by identity of challenge, publish."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from analytics.warehouse import rows
from analytics.warehouse.connection import Writer, reading, writing
from analytics.warehouse.false_signatures import FalseSignature, false_signatures
from analytics.warehouse.ingested_logs import register_logs
from analytics.warehouse.known_logs import logs_to_read
from analytics.warehouse.run_segments import assign_segments
from analytics.warehouse.statements import named_rows, statements
from data.errors import LogError
from data.logs.discovery import find_logs, read_log
from data.progress import no_report
from data.records.types import Logged, LogItem, Origin, Reject, Run, SeriesStep
from data.store import Store
from data.text import printable

# Challenges held in Python at a time; about 20 MB.
_BATCH = 1000

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class IngestReport:
    """What an ingest read and changed; `logs` are the names in `media.file`.

    `logs_unchanged` of them were not read, as the store holds them; `rejects` are those of all.
    `false_signatures` are all runs of the store that name a hotkey which did not sign them.
    """

    logs: list[str]
    logs_unchanged: int
    rejects: list[dict[str, Any]]
    records_rejected: int
    values_rejected: int
    false_signatures: list[FalseSignature]
    challenges_read: int = 0
    challenges_new: int = 0
    challenges_named: int = 0
    series_steps_new: int = 0
    runs: int = 0
    changed: bool = False


def ingest(store: Store, paths: Sequence[Path], progress: Progress = no_report) -> IngestReport:
    """Read every log at or under `paths` and publish a warehouse that also holds them.

    Ingesting the same content again changes nothing, whatever form it comes in; a log that did not
    change since it was read is not read again.

    Args:
        store: where the warehouse lies; made if it does not exist.
        paths: log files, W&B run folders, or folders that hold either.
        progress: called with the log's name and the items read of it so far.

    Raises:
        LogError: a path cannot be read at all; then nothing is published.
        StoreError: the warehouse cannot be written.
    """
    logs = logs_to_read(store, find_logs(paths))
    if not logs.read:
        with reading(store) as connection:
            return _report(connection, [], logs.unchanged)
    with writing(store) as writer:
        writer.connection.execute(statements("analytics/warehouse/stage"))
        named, renamed = register_logs(writer.connection, logs.read, logs.states)
        staging = _StagedRows(writer.connection)
        for log, file in named.items():
            staging.stage_log(file, read_log(log, file), partial(progress, file))
        staging.flush()
        read = sorted(set(named.values()))
        summary = _merge(writer, read)
        report = _report(writer.connection, read, logs.unchanged, summary)
        writer.changed = report.changed or renamed
        return report


class _StagedRows:
    """Rows in order of reading, put into the staging tables batch by batch."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._sequence = 0
        self._file = ""
        self._rows: dict[str, list[rows.Row]] = {}

    def stage_log(
        self, file: str, items: Iterable[LogItem], on_progress: Callable[[int], None]
    ) -> None:
        """Stage every item of the log that the store calls `file`."""
        self._file, count = file, 0
        try:
            for item in items:
                self._add(item)
                count += 1
                if count % _BATCH == 0:
                    on_progress(count)
        except LogError as error:
            # a log that cannot be read must not stop the others
            self._add(Reject(Origin(file, None), printable(str(error)), ""))
            count += 1
        if count == 0:
            reason = "log: found no record; expected Media records of a validator"
            self._add(Reject(Origin(file, None), reason, ""))
        on_progress(count)

    def _add(self, item: LogItem) -> None:
        self._sequence += 1
        if self._sequence % _BATCH == 0:
            self.flush()
        match item:
            case Logged(challenge=challenge):
                self._stage("media", [rows.media_row(item)])
                self._stage("responses", rows.response_rows(challenge))
                self._stage("series", rows.record_series_rows(challenge))
                self._stage("rejects", (rows.reject_row(reject) for reject in item.problems))
            case SeriesStep():
                named = ({**row, "file": self._file} for row in rows.logged_series_rows(item))
                self._stage("series", named)
            case Run():
                self._stage("runs", [rows.run_row(item)])
            case Reject():
                self._stage("rejects", [rows.reject_row(item)])

    def _stage(self, name: str, new: Iterable[rows.Row]) -> None:
        staged = self._rows.setdefault(name, [])
        staged.extend({**row, "seq": self._sequence} for row in new)

    def flush(self) -> None:
        """Move the rows held in Python into the staging tables."""
        for name, staged in self._rows.items():
            rows.append_rows(self._connection, f"stage_{name}", staged)
        self._rows = {}


def _merge(writer: Writer, files: list[str]) -> dict[str, Any]:
    connection = writer.connection
    rows.append_rows(connection, "stage_files", [{"file": file} for file in files])
    assign_segments(connection)
    for step in ("rotations", "conflicts", "merge", "series", "rejects", "derived"):
        connection.execute(statements(f"analytics/warehouse/{step}"))
    (summary,) = named_rows(connection.execute(statements("analytics/warehouse/summary")))
    return summary


def _report(
    connection: duckdb.DuckDBPyConnection,
    read: list[str],
    unchanged: list[str],
    summary: Mapping[str, Any] = MappingProxyType({}),
) -> IngestReport:
    """The report on logs that were read, by name, and on unchanged ones, by path."""
    query = "SELECT file FROM logs WHERE replaced IS NULL AND path IN (SELECT unnest($paths))"
    held = [file for (file,) in connection.execute(query, {"paths": unchanged}).fetchall()]
    logs = sorted({*read, *held})
    query = "SELECT * FROM rejects WHERE file IN (SELECT unnest($logs)) ORDER BY file, position"
    rejects = named_rows(connection.execute(query, {"logs": logs}))
    values = sum(reject["field"] is not None for reject in rejects)
    return IngestReport(
        logs=logs,
        logs_unchanged=len(set(held) - set(read)),
        rejects=rejects,
        records_rejected=len(rejects) - values,
        values_rejected=values,
        false_signatures=false_signatures(connection),
        **summary,
    )
