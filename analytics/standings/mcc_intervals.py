"""Intervals of miners' MCCs over source images, from sums that DuckDB makes."""

from dataclasses import dataclass

import duckdb
import numpy as np

from analytics.comparison.intervals import Interval
from analytics.comparison.mcc_error import CELLS, mcc_interval
from analytics.miners.answers import Miner
from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class MccInterval:
    """The interval of one miner's MCC, None for too few of its answered source `images`."""

    images: int
    interval: Interval | None


def mcc_intervals(
    connection: duckdb.DuckDBPyConnection, miner: Miner | None = None, life: int | None = None
) -> dict[Miner, MccInterval]:
    """The interval of each miner's MCC; miners without an answer are not among them.

    Args:
        connection: for which `lives.kept_order.restore_order` was called.
        miner: the one asked about; None: all, which takes ten seconds for ten million answers.
        life: the number of one validator's life; None: all.
    """
    parameters = {
        "uid": None if miner is None else miner.uid,
        "hotkey": None if miner is None else miner.hotkey,
        "life": life,
    }
    query = statements("analytics/standings/mcc_moments")
    intervals = {}
    for row in named_rows(connection.execute(query, parameters)):
        products = np.zeros((CELLS, CELLS))
        products[np.triu_indices(CELLS)] = row["products"]
        products = np.maximum(products, products.T)  # counts: none is below 0
        interval = mcc_interval(np.array(row["counts"]), products, row["images"])
        intervals[Miner(row["uid"], row["hotkey"])] = MccInterval(row["images"], interval)
    return intervals
