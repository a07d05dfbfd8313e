"""Reading sample weights: what is read, and what is one clear line."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from data.errors import RunError
from model.rows.sample_weights import read_sample_weights
from model.rows.training_row import TrainingRow

Columns = dict[str, list[object]]


def written(folder: Path, columns: Columns) -> Path:
    file = folder / "weights.parquet"
    pl.DataFrame(columns, strict=False).write_parquet(file)
    return file


def table(*weights: object) -> Columns:
    return {
        "source": ["a.parquet"] * len(weights),
        "row": list(range(len(weights))),
        "weight": list(weights),
    }


def rows(count: int, parquet: str = "a.parquet") -> list[TrainingRow]:
    return [TrainingRow(parquet, row, 0, (1, 1), {}) for row in range(count)]


def test_weights_are_those_of_the_rows_in_any_order(tmp_path: Path) -> None:
    file = written(tmp_path, table(1.0, 2.0, 0.0) | {"gps": [1.0, 1.0, 1.0]})
    weights = read_sample_weights(file)
    assert weights.of_rows(rows(3)[::-1]).tolist() == [0.0, 2.0, 1.0]
    assert weights.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    weights.check_rows(rows(3))
    whole = read_sample_weights(written(tmp_path, table(1, 2)))
    assert whole.of_rows(rows(2)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (table(1.0, float("nan")), "1 weights that are no finite number of 2"),
        (table(1.0, None), "1 weights that are no finite number of 2"),
        (table(1.0, float("inf")), "1 weights that are no finite number of 2"),
        (table(1.0, -0.5), "1 negative weights of 2"),
        (table(0.0, 0.0), "no weight above 0 among 2"),
        (table(), "source as Null"),
        (table(1.0, 2.0) | {"row": [0, 0]}, "1 rows that are named twice"),
        (table(1.0, 2.0) | {"row": [0, None]}, "1 rows without a name of 2"),
        (table("1", "2"), "weight as String"),
        (table(1.0) | {"row": [0.5]}, "row as Float64"),
        ({"source": ["a"], "row": [0]}, "no column weight"),
    ],
)
def test_a_file_that_is_no_table_of_weights_is_one_line(
    tmp_path: Path, columns: Columns, words: str
) -> None:
    file = written(tmp_path, columns)
    with pytest.raises(RunError) as refused:
        read_sample_weights(file)
    line = str(refused.value)
    assert line.startswith(f"sample weights {file}: found ")
    assert words in line
    assert "streetreplay weights --out FILE" in line
    assert "\n" not in line


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("source,row,weight\na,0,1\n")
    (tmp_path / "folder").mkdir()
    for name in ("text.parquet", "none.parquet", "folder"):
        with pytest.raises(RunError, match=r"sample weights .*; expected a Parquet file") as error:
            read_sample_weights(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (rows(3), "1 of 3 source rows without a weight, and 0 of 2 weights of other rows"),
        (rows(1), "0 of 1 source rows without a weight, and 1 of 2 weights of other rows"),
        (rows(2, "b.parquet"), "2 of 2 source rows without a weight, and 2 of 2 weights"),
    ],
)
def test_weights_of_other_rows_are_refused(
    tmp_path: Path, sources: list[TrainingRow], words: str
) -> None:
    weights = read_sample_weights(written(tmp_path, table(1.0, 2.0)))
    with pytest.raises(RunError, match=words):
        weights.check_rows(sources)
