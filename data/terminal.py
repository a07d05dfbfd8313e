"""What every command shares: the store option, where output goes, and how progress is shown.

Standard output holds results only; progress, warnings and errors go to standard error.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from data.store import STORE_VARIABLE
from data.text import printable

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar=STORE_VARIABLE, help="Store folder [default: data/store]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
SourcesOption = Annotated[
    Path | None,
    typer.Option(
        "--sources",
        help="Folder of shards, of a validator's cached images, or of both [default: sources/ of "
        "the store].",
    ),
]

# A column such as media.scores would fill the screen; csv and json give it whole.
_CELL = 80
_WIDTH = 160
_MINUTE, _HOUR = 60, 3600

errors = Console(stderr=True)
# Without a terminal there is no width to fit: tables keep their columns whole.
output = Console(width=None if sys.stdout.isatty() else _WIDTH)


def say(line: str) -> None:
    """Print a line of a result; text of a log in it stays text, and is not wrapped."""
    output.print(line, highlight=False, markup=False, soft_wrap=True)


def note(line: str, style: str | None = None) -> None:
    """Print a line about the work (progress, a warning, an error) to standard error."""
    errors.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON; dataclasses as objects, non-finite numbers as null."""
    sys.stdout.write(json.dumps(_plain(value), indent=indent, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    """`value` in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | None) else str(value)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; values of a log are shown as text, never as markup or terminal codes."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    output.print(table)


def _cell(value: object) -> Text:
    if value is None:
        return Text("–", style="dim")
    return Text(f"{value:.4g}" if isinstance(value, float) else printable(str(value), _CELL))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


def duration(seconds: float) -> str:
    """About how long, for people: no more digits than a guess deserves."""
    if seconds < 2 * _MINUTE:
        return f"about {max(1, round(seconds))} s"
    if seconds < 2 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {seconds / _HOUR:.1f} h"


@contextmanager
def progress(label: str, total: int) -> Iterator[Any]:
    """A progress bar with rate and time left on a terminal, plain lines otherwise.

    Yields a function that takes the number of further units done.
    """
    if not errors.is_terminal:
        note(f"{label}: {total} to do")
        yield lambda _done=1: None
        note(f"{label}: done")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, _Rate(), TimeRemainingColumn(), console=errors, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done=1: bar.advance(task, done)
