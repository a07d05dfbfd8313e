"""Logged scores, one list per record, as a matrix of records and uids."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.scoring.ema_rule import Float32s

MOST_UIDS = 4096
"""No subnet has more uids; longer lists of scores are left out."""


def list_lengths(column: pa.ListArray) -> NDArray[np.int64]:
    """Length of each list, (n,); 0 for NULL."""
    lengths: NDArray[np.int64] = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


def score_matrix(column: pa.ListArray, uids: int) -> Float32s:
    """(n, uids), NaN where no score is logged; a list of more than `MOST_UIDS` is left out."""
    lengths = list_lengths(column)
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    usable = lengths[rows] <= MOST_UIDS
    scores = np.full((len(lengths), uids), np.nan, np.float32)
    scores[rows[usable], columns[usable]] = values[usable]
    return scores
