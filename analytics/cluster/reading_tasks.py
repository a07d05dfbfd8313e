"""The tasks of reading logs on a cluster, as they are sent to its nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

from analytics.cluster.log_worker import LogWorker, SentLog
from analytics.cluster.sent_rows import SentRows
from data.logs.file_names import path_text
from data.logs.line_spans import LineSpan
from data.logs.log_state import log_content


@dataclass(frozen=True)
class ReadLogs:
    """Several whole logs, small ones; task `index` of an ingest."""

    index: int
    logs: tuple[SentLog, ...]

    @property
    def name(self) -> str:
        """The first of them, and how many more."""
        more = f" and {len(self.logs) - 1} more logs" if len(self.logs) > 1 else ""
        return f"{path_text(self.logs[0].log.path)}{more}"

    def done_by(self, worker: LogWorker) -> Iterator[SentRows]:
        """As `LogWorker.read_logs`."""
        return worker.read_logs(self.logs)

    def is_as_sent(self) -> bool:
        """Whether the logs are still what they were when the task was made."""
        try:
            return all(log_content(log.log) == log.content for log in self.logs)
        except OSError:
            return False


@dataclass(frozen=True)
class ReadSpan:
    """A stretch of a long log of JSON lines, `sha256` of its bytes; task `index` of an ingest."""

    index: int
    span: LineSpan
    file: str
    sha256: str

    @property
    def name(self) -> str:
        """The log and the first byte."""
        return f"{path_text(self.span.path)} from byte {self.span.first} on"

    def done_by(self, worker: LogWorker) -> Iterator[SentRows]:
        """As `LogWorker.read_span`."""
        return iter([worker.read_span(self.span, self.file, self.sha256)])

    def is_as_sent(self) -> bool:
        """Whether the stretch is still what it was when the task was made."""
        try:
            return self.span.sha256() == self.sha256
        except OSError:
            return False
