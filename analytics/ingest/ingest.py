"""Logs into the warehouse: read, stage, merge by identity of challenge, publish."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from analytics.ingest.ingested_logs import register_logs
from analytics.ingest.known_logs import (
    LogsToRead,
    known_archives,
    known_logs,
    logs_of,
    logs_to_read,
)
from analytics.ingest.reading import LocalReading, LogReading, NamedLog
from analytics.ingest.run_segments import assign_segments
from analytics.ingest.settings import IngestSettings
from analytics.ingest.staging import Staging
from analytics.warehouse import rows
from analytics.warehouse.connection import Writer, reading, writing
from analytics.warehouse.false_signatures import FalseSignature, false_signatures
from analytics.warehouse.statements import named_rows, statements
from data.atomic_files import make_folder
from data.logs.discovery import find_logs
from data.progress import Progress, silent
from data.store import Store

DEFAULT = IngestSettings()


@dataclass(frozen=True)
class IngestReport:
    """What an ingest read and changed; `logs` are the names in `media.file`.

    `logs_unchanged` of them were not read, as the store holds them; `rejects` are those of all.
    `false_signatures` are all runs of the store that name a hotkey which did not sign them.
    `refused`: nothing was published, as something was rejected and the ingest was strict.
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
    refused: bool = False


class _RefusedError(Exception):
    """Ends a strict ingest without publishing."""

    def __init__(self, report: IngestReport) -> None:
        super().__init__(f"{len(report.rejects)} rejects")
        self.report = replace(report, refused=True, changed=False)


def ingest(
    store: Store,
    paths: Sequence[Path],
    progress: Progress = silent,
    settings: IngestSettings = DEFAULT,
    reading_by: LogReading | None = None,
) -> IngestReport:
    """Read every log at or under `paths` and publish a warehouse that also holds them.

    Ingesting the same content again changes nothing, whatever form it comes in; a log that did not
    change since it was read is not read again.

    Args:
        store: where the warehouse lies; made if it does not exist.
        paths: log files, W&B run folders, or folders that hold either.
        progress: of the bytes that are read.
        settings: what is refused, and bounds of memory.
        reading_by: who reads the logs; None: this process, and several where they are long.

    Raises:
        LogError: a path cannot be read at all; then nothing is published.
        StoreError: the warehouse cannot be written.
        WriteError: the disk is full; nothing is published.
    """
    known = known_logs(store)
    logs_there = find_logs(paths, store.unpacked, known_archives(known).__contains__)
    logs = logs_to_read(known, logs_there, store.unpacked)
    if not logs.read:
        with reading(store) as connection:
            return _report(connection, [], logs.unchanged)
    try:
        return _read(store, logs, progress, settings, reading_by or LocalReading(settings))
    except _RefusedError as error:
        return error.report


def _read(
    store: Store,
    logs: LogsToRead,
    progress: Progress,
    settings: IngestSettings,
    reading_by: LogReading,
) -> IngestReport:
    with writing(store) as writer:
        writer.connection.execute(f"SET memory_limit = '{settings.database_megabytes}MB'")
        # another ingest may have published while this one waited
        logs = logs.by_now(logs_of(writer.connection))
        writer.connection.execute(statements("analytics/ingest/stage"))
        named, renamed = register_logs(writer.connection, logs.read)
        read = sorted(set(named.values()))
        with scratch_folder(store) as scratch:
            staging = Staging(writer.connection, scratch, settings)
            size = sum(log.bytes_left for log in logs.read)
            with progress("reading", size) as report_bytes:
                to_read = [NamedLog(log, named[log.log], report_bytes) for log in logs.read]
                with reading_by.reading(to_read, staging.schemas, scratch) as logs_with_items:
                    for log, items in logs_with_items:
                        is_rest = log.on_disk.reached is not None
                        staging.stage_log(log.file, items, is_rest=is_rest)
                        log.take_all()
            staging.flush()
            summary = _merge(writer, staging, read)
        still = [named[log.log] for log in logs.read if log.held_still()]
        writer.connection.execute(statements("analytics/ingest/reached"), {"still": still})
        again = {"again": sorted(staging.to_read_again)}
        writer.connection.execute(statements("analytics/ingest/read_again"), again)
        report = _report(writer.connection, read, logs.unchanged, summary)
        if settings.strict and report.rejects:
            raise _RefusedError(report)
        writer.changed = report.changed or renamed
        return report


@contextmanager
def scratch_folder(store: Store) -> Iterator[Path]:
    """An empty folder for what an ingest needs no longer than it runs; one that is left is emptied.

    Only who writes the warehouse may use it.
    """
    shutil.rmtree(store.scratch, ignore_errors=True)
    try:
        make_folder(store.scratch)
        yield store.scratch
    finally:
        shutil.rmtree(store.scratch, ignore_errors=True)


def _merge(writer: Writer, staging: Staging, files: list[str]) -> dict[str, Any]:
    connection = writer.connection
    rows.append_rows(connection, "stage_files", [{"file": file} for file in files])
    assign_segments(connection)
    for step in ("rotations", "conflicts", "merge"):
        connection.execute(statements(f"analytics/ingest/{step}"))
    staging.insert_new()
    for step in ("series", "rejects", "derived"):
        connection.execute(statements(f"analytics/ingest/{step}"))
    (summary,) = named_rows(connection.execute(statements("analytics/ingest/summary")))
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
