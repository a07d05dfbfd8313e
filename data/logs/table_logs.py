"""Read a CSV or Parquet table, or rows in JSON lines: the series of a run, or Media records.

Records are the JSON text of one column, or a column a key. A table gives all its records the same
keys, so that one which a record lacked is null in it; text of JSON keeps them apart.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import LogError
from data.json_text.decoder import Broken, json_value
from data.logs.decompression import open_log
from data.logs.json_logs import read_json_log, read_text_record
from data.records.types import LogItem, Origin, Reject
from data.tables.columns import history_columns, image_column, record_columns
from data.tables.history import read_history
from data.tables.rows import Damage, Row, Table, csv_table, json_lines_table, parquet_table
from data.tables.run_names import run_named_by
from data.text import printable

PARQUET_MAGIC = b"PAR1"
EXPECTED_TABLE = (
    "a run's history (_step, miner_mcc/uid_4, ... or step, uid, series, value) or Media records"
)
_OF_HISTORY = re.compile(rb'"miner_[a-z0-9_]{1,40}/uid_\d{1,9}"\s*:')
_ANSWERS = re.compile(rb'"predictions"\s*:')
_START = 64
_NUMBERS = frozenset({"label", "data_aug_level"})
_TABLE_NAME = re.compile(r"\.(?:parquet|[ct]sv(?:\.(?:gz|zst|bz2))?)(?:\.\d{1,3})?$")
_COLUMNS_SHOWN = 5
# Records of other tables are looked for in so many rows.
_ROWS_LOOKED_AT = 20


def read_table(path: Path, file: str, run_id: str | None = None) -> Iterator[LogItem]:
    """Read what a table holds.

    Args:
        path: a CSV file or JSON lines of a history, compressed or not, or a Parquet file.
        file: its name in the store.
        run_id: the run that it lies in the folder of; None: its name says which, or its columns.
    """
    try:
        table = _table(path)
        if table is None:
            yield from read_json_log(path, file)
        elif history := history_columns(table.columns):
            yield from read_history(table, history, file, run_id or run_named_by(path))
        elif record_columns(table.columns):
            yield from _records_by_column(table, file)
        elif (column := _column_of_records(table)) is not None:
            yield from _records_as_text(table, column, file)
        else:
            yield Reject(Origin(file, None), _unknown(table), "")
    except OSError as error:
        reason = f"table: found {error.strerror or error}; expected {EXPECTED_TABLE}"
        yield Reject(Origin(file, None), printable(" ".join(reason.split())), "")


def _table(path: Path) -> Table | None:
    """A file as a table; None for JSON that is not of a history alone."""
    if is_parquet(path):
        return parquet_table(path)
    with open_log(path) as stream:
        is_json = stream.peek(_START)[:_START].lstrip().startswith(b"{")
    if not is_json:
        return csv_table(lambda: open_log(path))
    table = json_lines_table(lambda: open_log(path))
    is_history = history_columns(table.columns) and "predictions" not in table.columns
    return table if is_history else None


def begins_as_history(text: bytes) -> bool:
    """True for JSON whose first line begins as a row of a W&B history does."""
    line = text.lstrip().split(b"\n", 1)[0]
    return line.startswith(b"{") and not _ANSWERS.search(line) and bool(_OF_HISTORY.search(line))


def is_parquet(path: Path) -> bool:
    """True for a file that begins as Parquet does."""
    try:
        with path.open("rb") as start:
            return start.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    except OSError:
        return False


def is_table_name(name: str) -> bool:
    """True for a name that a CSV or Parquet table has."""
    return bool(_TABLE_NAME.search(name.lower()))


def is_image_shard(path: Path) -> bool:
    """True for a Parquet file of source images, which is no log."""
    try:
        columns = parquet_table(path).columns
    except OSError:
        return False
    is_log = history_columns(columns) or record_columns(columns)
    return not is_log and image_column(columns) is not None


def _unknown(table: Table) -> str:
    shown = ", ".join(printable(name, 40) for name in table.columns[:_COLUMNS_SHOWN])
    more = ", ..." if len(table.columns) > _COLUMNS_SHOWN else ""
    return str(LogError("table", found=f"columns {shown}{more}", expected=EXPECTED_TABLE))


def _column_of_records(table: Table) -> int | None:
    """The column whose text is that of Media records, by the first rows; None without one."""
    for row in islice(table.rows(table.text_columns), _ROWS_LOOKED_AT):
        for column, value in row.cells.items() if isinstance(row, Row) else ():
            if str(value).lstrip().startswith("{") and '"predictions"' in str(value):
                return column
    return None


def _records_as_text(table: Table, column: int, file: str) -> Iterator[LogItem]:
    for row in table.rows([column]):
        origin = Origin(file, row.number)
        if isinstance(row, Damage):
            yield _damaged(row, origin)
        elif column in row.cells:
            yield read_text_record(str(row.cells[column]), origin)


def _records_by_column(table: Table, file: str) -> Iterator[LogItem]:
    for row in table.rows(range(len(table.columns))):
        origin = Origin(file, row.number)
        if isinstance(row, Damage):
            yield _damaged(row, origin)
            continue
        record = {
            name: _cell(name, row.cells.get(column)) for column, name in enumerate(table.columns)
        }
        try:
            text = json.dumps(record)
        except RecursionError:
            yield Reject(origin, "record: found one nested too deeply; expected a Media record", "")
        else:
            yield read_text_record(text, origin)


def _cell(name: str, value: Any) -> Any:
    """A cell as JSON has it: text of a list, an object, or a number where one belongs."""
    if isinstance(value, str) and (value.startswith(("[", "{")) or name in _NUMBERS):
        parsed = json_value(value)
        return value if isinstance(parsed, Broken) or parsed.repeated else parsed.value
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value of Arrow's types as one of JSON's."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _damaged(damage: Damage, origin: Origin) -> Reject:
    what = "what follows is lost" if damage.rest else "it is left out"
    reason = f"row: found {damage.reason}; expected a row of the table; {what}"
    return Reject(origin, printable(reason), "")
