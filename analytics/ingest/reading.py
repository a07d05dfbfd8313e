"""Who reads the logs of an ingest: this process, and several where logs are long."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import current_process
from pathlib import Path
from typing import Protocol

from analytics.ingest.known_logs import LogToRead
from analytics.ingest.settings import IngestSettings
from data.columnar.blocks import PoolBlockReader, Schemas, start_reading
from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows
from data.columnar.line_reader import CleanLineReader
from data.logs.discovery import read_log
from data.machine.processes import Work, cores, processes
from data.progress import Report
from data.records.types import LogItem

Items = Iterator[LogItem | CleanRecord | CleanRows]
"""What a log holds, as `discovery.read_log` gives it."""

_WORK = Work("reading a log in several processes")


class NamedLog:
    """A log that is to be read, its name in the store, and how many of its bytes were reported."""

    def __init__(self, on_disk: LogToRead, file: str, report: Report) -> None:
        """Begin with none reported to `report`."""
        self.on_disk, self.file = on_disk, file
        self._left, self._report = on_disk.bytes_left, report

    def take(self, count: int) -> None:
        """Report bytes as they are read."""
        self._left -= count
        self._report(count, self.file)

    def take_all(self) -> None:
        """Report what no reader told, once all is read."""
        self.take(max(0, self._left))


class LogReading(Protocol):
    """Who reads logs."""

    def reading(
        self, logs: Sequence[NamedLog], schemas: Schemas, scratch: Path
    ) -> AbstractContextManager[Iterator[tuple[NamedLog, Items]]]:
        """A context of all logs in order, the items of each to be taken before the next.

        Args:
            logs: those that are to be read.
            schemas: of the rows that they give.
            scratch: an empty folder, for rows that wait.
        """


class LocalReading:
    """This process reads, and several where logs are long."""

    def __init__(self, settings: IngestSettings) -> None:
        """Take how many processes, and where they pay."""
        self._settings = settings

    @contextmanager
    def reading(
        self, logs: Sequence[NamedLog], schemas: Schemas, scratch: Path
    ) -> Iterator[Iterator[tuple[NamedLog, Items]]]:
        """As `LogReading.reading`."""
        with self._clean_reader(logs, schemas, scratch) as clean:
            yield (
                (log, read_log(log.on_disk.log, log.file, clean, log.on_disk.reached, log.take))
                for log in logs
            )

    @contextmanager
    def _clean_reader(
        self, logs: Sequence[NamedLog], schemas: Schemas, scratch: Path
    ) -> Iterator[CleanLineReader | None]:
        settings = self._settings
        # a daemon may start no processes
        workers = 1 if current_process().daemon else settings.processes or cores()
        size = sum(log.on_disk.bytes_left for log in logs)
        if not settings.clean_lines:
            yield None
        elif workers == 1 or size < settings.process_megabytes * 10**6:
            yield CleanLineReader()
        else:
            with processes(workers, start_reading, schemas, work=_WORK) as pool:
                yield PoolBlockReader(pool, workers, scratch)
