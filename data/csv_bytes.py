"""Tables as CSV files to be downloaded."""

import csv
import io
from collections.abc import Iterable

from data.text import printable_value


def csv_bytes(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A table as CSV in UTF-8; invisible characters in text of logs are escaped.

    Args:
        columns: their names.
        rows: values in the order of the columns; None is an empty cell.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(printable_value, columns))
    writer.writerows(map(printable_value, row) for row in rows)
    return file.getvalue().encode()
