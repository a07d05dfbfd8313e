"""The weights that rows are drawn by in training, as a Parquet file names them."""

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from analytics.scoring.metrics import Floats
from data.errors import RunError
from model.rows.training_row import TrainingRow

_REMEDY = "make the weights again: `streetreplay weights --out FILE`"


@dataclass(frozen=True)
class SampleWeights:
    """The weight of each row, by its shard's file name and number, and the file's SHA-256.

    Weights are finite and not negative, and not all 0; only their ratios matter.
    """

    file: Path
    sha256: str
    weight_of_row: dict[tuple[str, int], float]

    def of_rows(self, rows: Sequence[TrainingRow]) -> Floats:
        """The weight of each row, (rows,)."""
        return np.array([self.weight_of_row[row.parquet, row.row] for row in rows], np.float64)

    def check_rows(self, rows: Sequence[TrainingRow]) -> None:
        """Refuse weights of other rows than these, all those of the sources.

        Raises:
            RunError: how many rows have no weight, and how many weights have no row.
        """
        named = {(row.parquet, row.row) for row in rows}
        without = len(named - self.weight_of_row.keys())
        others = len(self.weight_of_row.keys() - named)
        if without or others:
            raise RunError(
                f"sample weights {self.file}",
                found=f"{without} of {len(named)} source rows without a weight, and {others} of "
                f"{len(self.weight_of_row)} weights of other rows",
                expected="a weight for each of the source rows",
                remedy=_REMEDY,
            )


def effective_size(weights: Floats) -> float:
    """Kish's effective sample size, (sum of weights)^2 / sum of squares (Kish 1965); 0 for none.

    So many rows of equal weight would tell as much.
    """
    squares = math.fsum(weights**2)
    return math.fsum(weights) ** 2 / squares if squares else 0.0


def read_sample_weights(path: Path) -> SampleWeights:
    """Read the columns `source`, `row` and `weight` of a Parquet file; others are passed over.

    Raises:
        RunError: it cannot be read, lacks a column, names a row twice, or has a weight that is no
            finite number, is negative, or is 0 as all others are.
    """
    try:
        content = path.read_bytes()
        frame = pl.read_parquet(io.BytesIO(content))
    except (OSError, pl.exceptions.PolarsError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        problem = words or str(error).splitlines()[0]
        raise _refused(path, problem, "a Parquet file of `streetreplay weights`") from None
    missing = [name for name in ("source", "row", "weight") if name not in frame.columns]
    if missing:
        raise _refused(path, f"no column {missing[0]}", "the columns source, row and weight")
    frame = frame.select("source", "row", "weight")
    kinds = frame.schema
    if (
        kinds["source"] != pl.String
        or not kinds["row"].is_integer()
        or not kinds["weight"].is_numeric()
    ):
        problem = ", ".join(f"{name} as {kind}" for name, kind in kinds.items())
        raise _refused(path, problem, "source as text, row as whole and weight as any numbers")
    _check_values(path, frame)
    names, rows, weights = (frame[name].to_list() for name in frame.columns)
    weight_of_row = dict(zip(zip(names, rows, strict=True), map(float, weights), strict=True))
    if len(weight_of_row) < frame.height:
        problem = f"{frame.height - len(weight_of_row)} rows that are named twice"
        raise _refused(path, problem, "a line for each row")
    return SampleWeights(path, hashlib.sha256(content).hexdigest(), weight_of_row)


def _check_values(path: Path, frame: pl.DataFrame) -> None:
    weight = frame["weight"].cast(pl.Float64)
    nulls = sum(frame[name].null_count() for name in ("source", "row"))
    problems = {
        "rows without a name": nulls,
        "weights that are no finite number": frame.height - int(weight.is_finite().sum()),
        "negative weights": int((weight < 0).sum()),
    }
    for problem, count in problems.items():
        if count:
            several = f"{count} {problem} of {frame.height}"
            raise _refused(path, several, "a finite weight of at least 0 for each row")
    if not (weight > 0).any():
        none = f"no weight above 0 among {frame.height}"
        raise _refused(path, none, "some rows that are drawn")


def _refused(path: Path, problem: str, expected: str) -> RunError:
    return RunError(f"sample weights {path}", found=problem, expected=expected, remedy=_REMEDY)
