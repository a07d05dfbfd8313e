"""Which logs an ingest need not read: those that the store holds as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.warehouse.connection import reading
from analytics.warehouse.statements import named_rows
from data.digests import code_digest, file_digest
from data.errors import StoreError
from data.logs.file_names import path_text
from data.logs.log_kind import LogFile, LogKind
from data.logs.log_state import log_state
from data.store import Store

# the content of other kinds is more than one file's
_ONE_FILE = (LogKind.JSON, LogKind.HTML, LogKind.UNREAD)


@dataclass(frozen=True)
class _KnownLog:
    """A log as the store holds it: its path, and the content, state and reader of its reading."""

    path: str
    sha256: str
    state: str
    reader: str


@dataclass(frozen=True)
class LogsToRead:
    """Logs that have to be read, the state of every log, and the known paths of unchanged ones."""

    read: list[LogFile]
    states: dict[LogFile, str]
    unchanged: list[str]


def reader_digest() -> str:
    """A digest of the code that reads logs: another version may read more of them."""
    return code_digest("data/logs", "data/records", "data/tables", "data/archives")


def logs_to_read(store: Store, logs: Sequence[LogFile]) -> LogsToRead:
    """Leave out logs that the store holds: of equal state, or of equal content elsewhere.

    Where a known log holds other content now, every log is read: its challenges may be in any.

    Args:
        store: perhaps without a warehouse.
        logs: as `find_logs` gives them.
    """
    states = {log: log_state(log) for log in logs}
    known = _known_logs(store)
    by_path = {log.path: log for log in known}
    current = [log for log in known if log.reader == reader_digest()]
    by_state = {(log.path, log.state): log for log in current if log.state}
    by_content = {log.sha256: log for log in current if log.sha256}
    unchanged: dict[LogFile, str] = {}
    for log in logs:
        path = path_text(log.path.resolve())
        if (same := by_state.get((path, states[log]))) is None and log.kind in _ONE_FILE:
            content = file_digest(log.path) if known else ""
            if path in by_path and by_path[path].sha256 != content:
                return LogsToRead(list(logs), states, [])
            same = by_content.get(content)
        if same is not None:
            unchanged[log] = same.path
    read = [log for log in logs if log not in unchanged]
    return LogsToRead(read, states, sorted(set(unchanged.values())))


def _known_logs(store: Store) -> list[_KnownLog]:
    if not store.warehouse.is_file():
        return []
    query = "SELECT path, sha256, state, reader FROM logs WHERE replaced IS NULL"
    try:
        with reading(store) as connection:
            return [_KnownLog(**row) for row in named_rows(connection.execute(query))]
    except StoreError:
        return []  # writing it says why, or mends it
