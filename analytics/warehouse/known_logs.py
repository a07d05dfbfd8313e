"""Which logs an ingest need not read: those that the store holds as they are, or begins with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analytics.warehouse.connection import reading
from analytics.warehouse.statements import named_rows
from data.digests import code_digest, file_digest
from data.errors import StoreError
from data.logs.file_names import path_text
from data.logs.json_logs import Reached
from data.logs.log_kind import LogFile, LogKind
from data.logs.log_state import grew_from, log_bytes, log_state
from data.store import Store

# the content of other kinds is more than one file's
_ONE_FILE = (LogKind.JSON, LogKind.HTML, LogKind.TABLE, LogKind.UNREAD)
_READERS = ("columnar", "logs", "records", "tables", "archives", "validators")


@dataclass(frozen=True)
class _KnownLog:
    """A log as the store holds it; `records` is None where reading cannot go on behind them."""

    path: str
    sha256: str
    bytes: int | None
    records: int | None
    state: str
    reader: str


@dataclass(frozen=True)
class LogToRead:
    """A log that has to be read, as it is on disk before that: its state, content and size.

    `reached` is how far it is known; None reads all of it.
    """

    log: LogFile
    state: str
    sha256: str
    bytes: int | None
    reached: Reached | None = None

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


def reader_digest() -> str:
    """A digest of the code that reads logs: another version may read more of them."""
    return code_digest(*(f"data/{room}" for room in _READERS))


def logs_to_read(store: Store, logs: Sequence[LogFile]) -> LogsToRead:
    """Leave out logs that the store holds: of equal state, or of equal content elsewhere.

    Where a known log holds other content now, every log is read: its challenges may be in any. One
    that only grew is read from where it ended.

    Args:
        store: perhaps without a warehouse.
        logs: as `find_logs` gives them.
    """
    known = _known_logs(store)
    by_path = {log.path: log for log in known}
    current = [log for log in known if log.reader == reader_digest()]
    by_state = {(log.path, log.state): log for log in current if log.state}
    by_content = {log.sha256: log for log in current if log.sha256}
    read: list[LogToRead] = []
    unchanged: dict[LogFile, tuple[str, str]] = {}
    rewritten = False
    for log in logs:
        path, state = path_text(log.path.resolve()), log_state(log)
        if same := by_state.get((path, state)):
            unchanged[log] = same.path, state
            continue
        found = _on_disk(log, state)
        held = by_path.get(path)
        if log.kind not in _ONE_FILE:
            read.append(found)
        elif held is not None and held.sha256 != found.sha256:
            reached = _reached(log, held) if log.kind is LogKind.JSON else None
            rewritten = rewritten or reached is None
            read.append(replace(found, reached=reached))
        elif same := by_content.get(found.sha256):
            unchanged[log] = same.path, state
        else:
            read.append(found)
    if rewritten:
        read = [replace(found, reached=None) for found in read]
        read += [_on_disk(log, state) for log, (_, state) in unchanged.items()]
        unchanged = {}
    return LogsToRead(read, sorted({path for path, _ in unchanged.values()}))


def _on_disk(log: LogFile, state: str) -> LogToRead:
    size = log_bytes(log)
    return LogToRead(log, state, file_digest(log.path), size)


def _reached(log: LogFile, held: _KnownLog) -> Reached | None:
    """How far a log is known whose content is another now; None unless it only grew."""
    if held.reader != reader_digest() or held.bytes is None or held.records is None:
        return None
    reached = Reached(held.bytes, held.records)
    return reached if grew_from(log.path, reached, held.sha256) else None


def _known_logs(store: Store) -> list[_KnownLog]:
    if not store.warehouse.is_file():
        return []
    query = "SELECT path, sha256, bytes, records, state, reader FROM logs WHERE replaced IS NULL"
    try:
        with reading(store) as connection:
            return [_KnownLog(**row) for row in named_rows(connection.execute(query))]
    except StoreError:
        return []  # writing it says why, or mends it
