"""Which logs an ingest need not read: those that the store holds as they are, or begins with."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import duckdb

from analytics.ingest.known_archives import KnownArchives
from analytics.ingest.known_log import KnownLog, KnownLogs
from analytics.warehouse.connection import reading
from analytics.warehouse.statements import named_rows
from data.digests import code_digest, file_digest
from data.errors import StoreError
from data.logs.discovery import logs_in_archive
from data.logs.json_logs import Reached
from data.logs.log_kind import LogFile, LogKind
from data.logs.log_state import begins_with, goes_on_at, log_bytes, log_state
from data.store import Store
from data.validators.signature import can_check_signatures

# the content of other kinds is more than one file's
_ONE_FILE = (LogKind.JSON, LogKind.HTML, LogKind.TABLE, LogKind.UNREAD)
_READERS = ("columnar", "logs", "records", "tables", "archives", "validators")


@dataclass(frozen=True)
class LogToRead:
    """A log that has to be read, as it is on disk before that: its state, content and size.

    `reached` is how far it is known; None reads all of it. `is_rewritten`: its path held other
    content that it does not begin with.
    """

    log: LogFile
    state: str
    sha256: str
    bytes: int | None
    reached: Reached | None = None
    is_rewritten: bool = False

    @property
    def bytes_left(self) -> int:
        """How many bytes there are to read."""
        return (self.bytes or 0) - (self.reached.byte if self.reached else 0)

    def held_still(self) -> bool:
        """Whether its size is what it was."""
        return self.bytes is not None and self.bytes == log_bytes(self.log)


@dataclass(frozen=True)
class LogsToRead:
    """Logs that have to be read, and the known paths of unchanged ones."""

    read: list[LogToRead]
    unchanged: list[str]
    _known: Sequence[KnownLog]
    _listed: Sequence[LogFile]
    _scratch: Path | None

    def by_now(self, known: Sequence[KnownLog]) -> "LogsToRead":
        """The same, decided again where the store knows other logs by now."""
        return self if known == self._known else logs_to_read(known, self._listed, self._scratch)


def reader_digest() -> str:
    """A digest of what reads logs: another version, or a library added, may read more of them."""
    code = code_digest(*(f"data/{room}" for room in _READERS))
    return code if can_check_signatures() else f"{code}, signatures unchecked"


def known_archives(known: Sequence[KnownLog]) -> KnownArchives:
    """The archives of which the present readers read all."""
    return KnownArchives([log for log in known if log.reader == reader_digest()])


def logs_to_read(
    known: Sequence[KnownLog], listed: Sequence[LogFile], scratch: Path | None = None
) -> LogsToRead:
    """Leave out logs that the store holds: of equal state, or of equal content elsewhere.

    Where a known log holds other content now, every log is read: its challenges may be in any. One
    that only grew is read from where it ended, if it holds JSON lines that were all read.

    Args:
        known: those of the store.
        listed: as `find_logs` gives them, with known archives.
        scratch: where archives are unpacked that have to be read after all.
    """
    archives = known_archives(known)
    inside = {log: archives.logs_of(log.path) for log in listed if log.kind is LogKind.ARCHIVE}
    logs = [
        log
        for log_file in listed
        if not inside.get(log_file)
        for log in _logs_in(log_file, scratch)
    ]
    index = KnownLogs(known, reader_digest())
    decided = {log: _decided(log, index) for log in logs}
    read = [log for log in decided.values() if isinstance(log, LogToRead)]
    if any(log.is_rewritten for log in read):
        unread = [log for log, known_path in decided.items() if isinstance(known_path, str)]
        unread += [
            log for log_file, held in inside.items() if held for log in _logs_in(log_file, scratch)
        ]
        read = [replace(log, reached=None) for log in read]
        read += [_on_disk(log, log_state(log)) for log in unread]
        return LogsToRead(read, [], known, listed, scratch)
    unchanged = {path for path in decided.values() if isinstance(path, str)}
    return LogsToRead(read, sorted(unchanged.union(*inside.values())), known, listed, scratch)


def _logs_in(listed: LogFile, scratch: Path | None) -> list[LogFile]:
    """A log itself, or the logs of an archive."""
    if listed.kind is LogKind.ARCHIVE:
        return logs_in_archive(listed.path, scratch)
    return [listed]


def _decided(log: LogFile, known: KnownLogs) -> LogToRead | str:
    """The log as it has to be read, or the known path that it need not be read for."""
    state = log_state(log)
    if (path := known.of_state(log, state)) is not None:
        return path
    on_disk = _on_disk(log, state)
    if log.kind not in _ONE_FILE:
        return on_disk
    held = known.at(log)
    if held is None or held.sha256 == on_disk.sha256:
        return known.of_content(log, on_disk.sha256) or on_disk
    if held.bytes is None or not begins_with(log.path, held.bytes, held.sha256):
        return replace(on_disk, is_rewritten=True)
    return replace(on_disk, reached=_reached(log, held))


def _on_disk(log: LogFile, state: str) -> LogToRead:
    size = log_bytes(log)
    return LogToRead(log, state, file_digest(log.path), size)


def _reached(log: LogFile, held: KnownLog) -> Reached | None:
    """How far a log that grew is known; None where it has to be read whole."""
    if held.reader != reader_digest() or held.bytes is None or held.records is None:
        return None
    if log.kind is not LogKind.JSON or not goes_on_at(log.path, held.bytes):
        return None
    return Reached(held.bytes, held.records)


def known_logs(store: Store) -> list[KnownLog]:
    """The logs that a store holds, perhaps one without a warehouse."""
    if not store.warehouse.is_file():
        return []
    try:
        with reading(store) as connection:
            return logs_of(connection)
    except StoreError:
        return []  # writing it says why, or mends it


def logs_of(connection: duckdb.DuckDBPyConnection) -> list[KnownLog]:
    """The logs that a warehouse holds, in order of their paths."""
    columns = ", ".join(field.name for field in fields(KnownLog))
    query = f"SELECT {columns} FROM logs WHERE replaced IS NULL ORDER BY path"  # noqa: S608
    return [KnownLog(**row) for row in named_rows(connection.execute(query))]
