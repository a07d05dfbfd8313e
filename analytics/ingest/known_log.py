"""Logs as a store holds them, and by what each is recognised."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.logs.file_names import path_text
from data.logs.log_kind import LogFile, LogKind


@dataclass(frozen=True)
class KnownLog:
    """A log as the store holds it; `records` is None where reading cannot go on behind them."""

    path: str
    sha256: str
    kind: str
    bytes: int | None
    records: int | None
    state: str
    reader: str


class KnownLogs:
    """Known logs by path, and those that the present readers read by state and by content."""

    def __init__(self, known: Sequence[KnownLog], reader: str) -> None:
        """Sort logs; `reader` is what the present readers are known by."""
        current = [log for log in known if log.reader == reader]
        # which run a table is of may be in its name
        copied = [log for log in current if log.sha256 and log.kind != LogKind.TABLE]
        self._by_path = {log.path: log for log in known}
        self._by_state = {(log.path, log.state): log.path for log in current if log.state}
        self._by_content = {(log.kind, log.sha256): log.path for log in copied}

    def at(self, log: LogFile) -> KnownLog | None:
        """What the path of a log held."""
        return self._by_path.get(path_text(log.path.resolve()))

    def of_state(self, log: LogFile, state: str) -> str | None:
        """The path of a log if its files are as they were."""
        return self._by_state.get((path_text(log.path.resolve()), state))

    def of_content(self, log: LogFile, sha256: str) -> str | None:
        """The path of a known log of the same kind and content."""
        return self._by_content.get((log.kind, sha256))
