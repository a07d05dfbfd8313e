"""CSV files of what a log holds."""

import csv
import io

from data.csv_bytes import csv_bytes


def test_values_are_read_again_and_what_is_invisible_is_escaped() -> None:
    rows = [["a,b", 1, None], ["c\u202ed\n", 0.25, True]]
    read = list(csv.reader(io.StringIO(csv_bytes(["x", "y", "z\u200b"], iter(rows)).decode())))
    assert read == [["x", "y", "z\\u200b"], ["a,b", "1", ""], ["c\\u202ed\\n", "0.25", "True"]]


def test_no_rows_leave_the_names() -> None:
    assert csv_bytes(["x"], []) == b"x\n"
