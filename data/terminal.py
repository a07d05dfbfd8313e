"""What all commands share: common options, and output to the terminal.

Standard output holds results only; progress, warnings and errors go to standard error. All text
that a command prints goes through this module, which escapes what could control a terminal: text
of a log is shown as text.
"""

import codecs
import csv
import io
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.store import STORE_VARIABLE
from data.text import is_printable, printable, printable_value

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="FOLDER|URL",
        envvar=STORE_VARIABLE,
        help="Store: a folder, or a URL such as s3://BUCKET/FOLDER, which is fetched before the "
        "command and sent back after it [default: data/store].",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
# Text, as a path would make one slash of a URL's two.
SourcesOption = Annotated[
    str | None,
    typer.Option(
        "--sources",
        metavar="FOLDER|URL",
        help="Folder, or URL such as s3://BUCKET/PREFIX, of shards, of a validator's cached "
        "images, or of both [default: sources/ of the store].",
    ),
]

# A column such as media.scores would fill the screen; csv and json give it whole.
_CELL = 80
_WIDTH = 160
_MINUTE, _HOUR = 60, 3600

# Text stays text: neither [markup] nor :emoji: of a log means anything.
_console = partial(Console, markup=False, emoji=False, highlight=False)
errors = _console(stderr=True)
# Without a terminal there is no width to fit: tables keep their columns whole.
output = _console(width=None if sys.stdout.isatty() else _WIDTH)

_UNENCODABLE = "streetreplay.lacking"
# ASCII for the signs that StreetReplay prints itself; other characters are escaped where needed.
_ASCII_FOR_SIGN = {
    "–": "-",
    "…": "...",
    "×": "x",
    "→": "->",
    "°": " deg",
    "±": "+-",
    "≥": ">=",
    "≤": "<=",
}
_NOT_PLAIN_ASCII = re.compile(r"[^ -~\n]")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    """The replacement of characters that an encoding lacks; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    signs = (
        _ASCII_FOR_SIGN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking
    )
    return "".join(signs), error.end


codecs.register_error(_UNENCODABLE, _replacement)


def open_terminal() -> None:
    """Make standard output and error accept every character, whatever their encoding is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_UNENCODABLE)


def shown(text: str, console: Console = output, limit: int | None = None) -> str:
    """`text` as it is safe to send to a console: printable, and within its encoding."""
    return printable(text, limit).encode(console.encoding, _UNENCODABLE).decode(console.encoding)


def say(line: str) -> None:
    """Print a line of a result to standard output, not wrapped."""
    output.print(Text(shown(line, output)), soft_wrap=True)


def note(line: str, style: str | None = None) -> None:
    """Print a line about the work (progress, a warning, an error) to standard error."""
    errors.print(Text(shown(line, errors)), style=style, soft_wrap=True)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON; dataclasses as objects, non-finite numbers as null."""
    sys.stdout.write(_json(value, indent) + "\n")


def print_json_list(values: Iterable[object]) -> None:
    """Print values as one JSON list, each as soon as it is there."""
    separator = "[\n "
    for value in values:
        # line ends within strings are escaped: these are those of the indentation
        sys.stdout.write(separator + _json(value, 1).replace("\n", "\n "))
        separator = ",\n "
    sys.stdout.write("[]\n" if separator.startswith("[") else "\n]\n")


def print_csv(rows: Iterable[Sequence[object]], *, raw: bool = False) -> int:
    """Print rows as CSV, each as soon as it is there.

    Args:
        rows: values, the first row being the heading.
        raw: write text unescaped, in UTF-8; ignored on a terminal, which could be controlled by it.

    Returns:
        How many values had invisible characters, and were written escaped.
    """
    stream, escaped = sys.stdout, 0
    raw = raw and not stream.isatty()
    if raw and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", newline="")
    writer = csv.writer(
        stream,
        lineterminator="\n",
        # a lone carriage return would otherwise be unquoted, and end the row for a reader
        quoting=csv.QUOTE_NONNUMERIC if raw else csv.QUOTE_MINIMAL,
    )
    for row in rows:
        values = row if raw else [printable_value(value) for value in row]
        escaped += sum(value is not written for value, written in zip(row, values, strict=True))
        writer.writerow(values)
    return escaped


def _json(value: object, indent: int | None) -> str:
    """JSON that is valid UTF-8 in any encoding of standard output, invisible characters escaped.

    An encoding that is not UTF-8 gets ASCII alone, which is both.
    """
    in_utf8 = output.encoding.replace("-", "") == "utf8"
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=not in_utf8)
    return _NOT_PLAIN_ASCII.sub(lambda match: _json_escape(match[0]), text)


def _json_escape(character: str) -> str:
    if is_printable(character):
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _plain(value: Any) -> Any:
    """`value` converted to JSON's types."""
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
    """Print a table; values of a log are shown as text."""
    heading = Text(shown(title), style="table.title") if title else None
    table = Table(title=heading, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(Text(shown(column)), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    output.print(table)


def _cell(value: object) -> Text:
    if value is None:
        return Text(shown("–"), style="dim")
    return Text(f"{value:.4g}" if isinstance(value, float) else shown(str(value), limit=_CELL))


def duration(seconds: float) -> str:
    """A duration in words, rounded as an estimate."""
    if seconds < 2 * _MINUTE:
        return f"about {max(1, round(seconds))} s"
    if seconds < 2 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {seconds / _HOUR:.1f} h"
