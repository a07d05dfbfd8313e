"""Reads logs wherever it is started: on this machine, or on a node of a cluster.

It is sent paths, and what its machine has to have there; it returns rows and the other items.
"""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics.cluster.sent_rows import SentRows, packed, sent_rows
from data.cluster.environment import environment
from data.cluster.task_queue import RefusedTaskError
from data.columnar.blocks import Schemas, collect_rarely, read_block
from data.columnar.line_reader import CleanLineReader
from data.errors import LogError
from data.logs.discovery import read_log
from data.logs.file_names import path_text
from data.logs.json_logs import Reached
from data.logs.line_spans import LineSpan
from data.logs.log_kind import LogFile
from data.logs.log_state import log_content
from data.records.types import Reject

# What reads logs, and whose versions decide what is read.
_CODE = ("analytics", "data")
_PACKAGES = (
    "duckdb",
    "numpy",
    "orjson",
    "protobuf",
    "py-sr25519-bindings",
    "pyarrow",
    "pysimdjson",
    "pyyaml",
    "wandb",
)


def reading_environment() -> dict[str, str]:
    """What has to be the same in every process that reads logs of one ingest."""
    return environment(_CODE, _PACKAGES)


@dataclass(frozen=True)
class LogWorkerDescription:
    """Where a worker runs and what it reads with."""

    host: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class SentLog:
    """A log, its name in the store, its `log_content`, and from where it is to be read."""

    log: LogFile
    file: str
    content: str
    reached: Reached | None


class LogWorker:
    """Reads logs, and stretches of long ones."""

    def __init__(self, schemas: Schemas, working_folder: str) -> None:
        """Begin to read.

        Args:
            schemas: of rows.
            working_folder: where the person stands who asked, which relative names start from.
        """
        if Path(working_folder).is_dir():
            os.chdir(working_folder)
        collect_rarely()
        self._schemas, self._reader = schemas, CleanLineReader()

    def description(self) -> LogWorkerDescription:
        """Describe this worker."""
        return LogWorkerDescription(platform.node(), reading_environment())

    def read_span(self, span: LineSpan, file: str, sha256: str) -> SentRows:
        """Read lines of a log; `rest` is how many there are, and the unclean ones by number.

        Args:
            span: the lines.
            file: the log's name in the store.
            sha256: of the lines, as the process has them that asks.

        Raises:
            RefusedTaskError: they are not here, or many of them are unclean.
        """
        try:
            if span.sha256() != sha256:
                raise RefusedTaskError(f"another {path_text(span.path)}")
            read = read_block(self._reader, self._schemas, span.lines(), file)
        except OSError as error:
            raise _refused(span.path, error) from None
        if read is None:
            raise RefusedTaskError
        return sent_rows(read.media, read.responses, (read.size, read.unclean))

    def read_logs(self, logs: Sequence[SentLog]) -> Iterator[SentRows]:
        """Read whole logs, see `packed`.

        Raises:
            RefusedTaskError: one is not here as it was sent, this machine could not read all of it,
                or it cannot be read at all.
        """
        for log in logs:
            try:
                if log_content(log.log) != log.content:
                    raise RefusedTaskError(f"another {path_text(log.log.path)}")
            except OSError as error:
                raise _refused(log.log.path, error) from None
        return packed(((log.file, self._items(log)) for log in logs), self._schemas)

    def _items(self, log: SentLog) -> Iterator[Any]:
        try:
            for item in read_log(log.log, log.file, self._reader, log.reached):
                if isinstance(item, Reject) and item.is_passing:
                    raise RefusedTaskError(f"{path_text(log.log.path)}: {item.reason}")
                yield item
        except LogError:
            raise RefusedTaskError from None


def _refused(path: Path, error: OSError) -> RefusedTaskError:
    return RefusedTaskError(f"{path_text(path)}: {error.strerror or error}")
