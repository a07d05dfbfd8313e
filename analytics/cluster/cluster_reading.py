"""Logs read by workers on the nodes of a Ray cluster, in the order in which one process does."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path

from analytics.cluster.kept_rows import KeptRows, items_of_logs, keep
from analytics.cluster.log_worker import (
    LogWorker,
    LogWorkerDescription,
    SentLog,
    reading_environment,
)
from analytics.cluster.reading_tasks import ReadLogs, ReadSpan
from analytics.ingest.reading import Items, NamedLog
from data.archives.members import MemberPath
from data.cluster.actor import Refusal
from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.cluster.ray_workers import RayWorkers, Worker, WorkerKind, ray_workers
from data.cluster.task_queue import TaskQueue
from data.columnar.blocks import Block, BlockReader, Lines, Schemas
from data.columnar.line_reader import CleanLineReader
from data.logs.decompression import is_plain_text
from data.logs.discovery import read_log
from data.logs.json_logs import is_of_lines
from data.logs.line_spans import SPAN_BYTES, LineSpan, line_spans
from data.logs.log_kind import LogKind
from data.logs.log_state import log_content
from data.terminal import note

_Task = ReadLogs | ReadSpan
_Worker = Worker[LogWorkerDescription]


class ClusterReading:
    """Workers of a cluster read; logs inside archives, which are unpacked here, this process."""

    def __init__(self, cluster: RayCluster, resources: WorkerResources, count: int) -> None:
        """Take how many workers there shall be, and what each gets."""
        self._cluster, self._resources, self._count = cluster, resources, count

    @contextmanager
    def reading(
        self, logs: Sequence[NamedLog], schemas: Schemas, scratch: Path
    ) -> Iterator[Iterator[tuple[NamedLog, Items]]]:
        """As `LogReading.reading`."""
        kind: WorkerKind[LogWorkerDescription] = WorkerKind(
            make=partial(LogWorker, schemas, str(Path.cwd())),
            describe=methodcaller("description"),
            environment=reading_environment(),
        )
        with ray_workers(self._cluster, kind, self._resources, self._count) as workers:
            yield _Reading(workers, logs, scratch).logs_with_items()


@dataclass(frozen=True)
class _Logs:
    """Logs that one task reads; None: this process does."""

    logs: Sequence[NamedLog]
    task: ReadLogs | None


@dataclass(frozen=True)
class _Span:
    """A stretch of a log, and the task that reads it."""

    log: NamedLog
    span: LineSpan
    task: ReadSpan


@dataclass(frozen=True)
class _End:
    """Behind the last stretch of a log: why there are no more, if that is not its end."""

    log: NamedLog
    error: OSError | None = None
    task: None = None


_Entry = _Logs | _Span | _End


class _BlocksReadAhead(BlockReader):
    """Gives blocks of a log that were cut and read ahead; others of it are not looked at."""

    def __init__(self, blocks: Iterator[tuple[Lines, Block | None]]) -> None:
        super().__init__()
        self._ahead = blocks

    def read_blocks(
        self, blocks: Iterable[Lines], file: str
    ) -> Iterator[tuple[Lines, Block | None]]:
        return self._ahead


class _Reading:
    """Makes tasks as workers have time for them, and gives what they read in order of the logs."""

    def __init__(
        self,
        workers: RayWorkers[LogWorkerDescription],
        logs: Sequence[NamedLog],
        scratch: Path,
    ) -> None:
        self._workers, self._logs, self._scratch = workers, logs, scratch
        self._clean = CleanLineReader()
        self._tasks_made = 0
        self._made: deque[_Entry] = deque()
        # by index of the task; None: this process has to read it
        self._kept: dict[int, list[KeptRows] | None] = {}
        self._tasks = self._make_tasks()
        self._queue: TaskQueue[_Worker, _Task] = TaskQueue(self._tasks)

    def logs_with_items(self) -> Iterator[tuple[NamedLog, Items]]:
        """Every log, in order."""
        entries, begun = self._in_order(), None
        for entry, kept in entries:
            if isinstance(entry, _Logs):
                if kept is None:
                    yield from ((log, self._read_here(log)) for log in entry.logs)
                else:
                    yield from zip(entry.logs, items_of_logs(kept), strict=True)
            elif entry.log is not begun:
                begun = entry.log
                if isinstance(entry, _Span):
                    blocks = _BlocksReadAhead(_blocks(entry, kept, entries))
                    yield begun, self._read_here(begun, blocks)
                else:
                    yield begun, self._read_here(begun)

    def _read_here(self, log: NamedLog, clean: CleanLineReader | None = None) -> Items:
        on_disk = log.on_disk
        return read_log(on_disk.log, log.file, clean or self._clean, on_disk.reached, log.take)

    def _in_order(self) -> Iterator[tuple[_Entry, list[KeptRows] | None]]:
        """Each entry when it has been read, with what was sent of it."""
        answers = self._workers.answers(self._queue)
        are_left, is_told = True, False
        while True:
            while are_left and not (self._made and self._is_read(self._made[0])):
                if (answer := next(answers, None)) is None:
                    are_left = False
                else:
                    self._take_in(*answer)
            # without a worker tasks are left to be made, and to be done here
            if not self._made and next(self._tasks, None) is None and not self._made:
                return
            entry = self._made.popleft()
            if not are_left and not is_told and not self._is_read(entry):
                note("no node is left that has the logs: they are read here")
                is_told = True
            yield entry, self._kept.pop(entry.task.index, None) if entry.task else None

    def _is_read(self, entry: _Entry) -> bool:
        return entry.task is None or entry.task.index in self._kept

    def _take_in(self, worker: _Worker, task: _Task, answer: object) -> None:
        """Keep an answer in files until its turn comes."""
        if isinstance(answer, Refusal):
            self._take_refusal(worker, task, answer)
            return
        kept: list[KeptRows] = []
        for piece in self._workers.pieces(worker, answer):
            if piece is None:  # lost with its node
                for rows in kept:
                    rows.delete()
                self._queue.put_back(task)
                return
            kept.append(keep(piece, self._scratch, f"task-{task.index}-{len(kept)}"))
        self._kept[task.index] = kept

    def _take_refusal(self, worker: _Worker, task: _Task, refusal: Refusal) -> None:
        """Go on without a node that has other logs, unless this process sees others by now, too."""
        if not refusal.found or not task.is_as_sent():
            self._kept[task.index] = None
            return
        self._queue.put_back(task)
        self._workers.leave_out(worker, self._queue)
        note(
            f"worker on {worker.description.host}: found {refusal.found}; expected the logs as "
            "they are here; put them there under the same path; this node is left out"
        )

    def _make_tasks(self) -> Iterator[_Task]:
        """Tasks in order of the logs; each, and what needs none, is remembered as made."""
        for entry in self._entries():
            self._made.append(entry)
            if entry.task is not None:
                yield entry.task

    def _entries(self) -> Iterator[_Entry]:
        small: list[NamedLog] = []
        for log in self._logs:
            on_disk = log.on_disk
            is_here = isinstance(on_disk.log.path, MemberPath) or on_disk.log.kind is LogKind.UNREAD
            is_long = not is_here and _is_long(log)
            if small and (is_here or is_long):
                yield self._small_logs(small)
                small = []
            if is_here:
                yield _Logs([log], None)
            elif is_long:
                yield from self._spans(log)
            else:
                small.append(log)
                if sum(log.on_disk.bytes_left for log in small) >= SPAN_BYTES:
                    yield self._small_logs(small)
                    small = []
        if small:
            yield self._small_logs(small)

    def _small_logs(self, logs: list[NamedLog]) -> _Logs:
        try:
            sent = tuple(
                SentLog(
                    on_disk.log, log.file, log_content(on_disk.log, on_disk.sha256), on_disk.reached
                )
                for log in logs
                for on_disk in (log.on_disk,)
            )
        except OSError:  # reading them says so
            return _Logs(logs, None)
        return _Logs(logs, ReadLogs(self._next_index(), sent))

    def _spans(self, log: NamedLog) -> Iterator[_Entry]:
        path, reached = log.on_disk.log.path, log.on_disk.reached
        try:
            with path.open("rb", buffering=0) as opened:
                for span in line_spans(path, opened, reached.byte if reached else 0):
                    sent, sha256 = copy(span).elsewhere(), span.sha256()
                    task = ReadSpan(self._next_index(), sent, log.file, sha256)
                    # a copy: the file is not kept open until it is read
                    yield _Span(log, copy(span), task)
        except OSError as error:
            yield _End(log, error)
        else:
            yield _End(log)

    def _next_index(self) -> int:
        self._tasks_made += 1
        return self._tasks_made


def _is_long(log: NamedLog) -> bool:
    """Whether a log is of JSON lines, and several workers may read stretches of it."""
    on_disk = log.on_disk
    if on_disk.log.kind is not LogKind.JSON or on_disk.bytes_left <= SPAN_BYTES:
        return False
    try:
        path = on_disk.log.path
        return is_plain_text(path) and (on_disk.reached is not None or is_of_lines(path))
    except OSError:
        return False


def _blocks(
    first: _Span,
    kept: list[KeptRows] | None,
    entries: Iterator[tuple[_Entry, list[KeptRows] | None]],
) -> Iterator[tuple[Lines, Block | None]]:
    """The stretches of a log from the first on, and what was sent of each."""
    entry: _Entry = first
    while isinstance(entry, _Span):
        yield entry.span, kept[0].block() if kept else None
        entry, kept = next(entries)
    if isinstance(entry, _End) and entry.error is not None:
        raise entry.error
