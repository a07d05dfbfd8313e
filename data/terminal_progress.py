"""Progress of long work at the terminal: a bar, or a line every few seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from data.progress import Report
from data.terminal import duration, errors, note, shown

_SECONDS_BETWEEN_LINES = 5.0
_MEGABYTE = 10**6


def progress(label: str, total: int) -> AbstractContextManager[Report]:
    """Progress by units of work, with rate and time left.

    Yields a function that takes the number of further units done, and a status to show.
    """
    return _progress(label, total, (MofNCompleteColumn(), _Rate()), _units)


def byte_progress(label: str, total: int) -> AbstractContextManager[Report]:
    """The same by bytes."""
    return _progress(label, total, (DownloadColumn(), TransferSpeedColumn()), _megabytes)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


def _units(count: float) -> str:
    return f"{count:.0f}" if count >= 10 or count == round(count) else f"{count:.1f}"  # noqa: PLR2004


def _megabytes(count: float) -> str:
    return f"{count / _MEGABYTE:.1f} MB"


@contextmanager
def _progress(
    label: str, total: int, columns: tuple[ProgressColumn, ...], text: Callable[[float], str]
) -> Iterator[Report]:
    if not errors.is_terminal:
        note(f"{label}: {text(total)} to do")
        yield _Lines(label, total, text).report
        note(f"{label}: done")
        return
    around = (TextColumn("{task.description}", markup=False), BarColumn())
    with Progress(*around, *columns, TimeRemainingColumn(), console=errors, transient=True) as bar:
        task = bar.add_task(shown(label, errors), total=total)

        def report(done: int = 1, status: str = "") -> None:
            if status:
                bar.update(task, description=shown(f"{label}, {status}", errors))
            bar.advance(task, done)

        yield report


class _Lines:
    """A line at most every few seconds."""

    def __init__(self, label: str, total: int, text: Callable[[float], str]) -> None:
        self._label, self._total, self._text = label, total, text
        self._done, self._status = 0, ""
        self._begun = self._said = time.monotonic()

    def report(self, done: int = 1, status: str = "") -> None:
        self._done += done
        self._status = status or self._status
        now = time.monotonic()
        if now < self._said + _SECONDS_BETWEEN_LINES or not self._done:
            return
        self._said = now
        rate = self._done / (now - self._begun)
        left = duration(max(0, self._total - self._done) / rate)
        doing = f"{self._label}, {self._status}" if self._status else self._label
        note(
            f"{doing}: {self._text(self._done)} of {self._text(self._total)}, "
            f"{self._text(rate)}/s, {left} left"
        )
