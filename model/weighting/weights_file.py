"""Where weights are kept: a Parquet file for `train`, and the relation `sample_weights`."""

from pathlib import Path

import polars as pl

from analytics.warehouse.connection import writing
from analytics.warehouse.statements import statements
from data.atomic_files import atomic_file, make_folder
from data.store import Store


def write_weights(path: Path, table: pl.DataFrame) -> None:
    """Write a table of weights, whole or not at all.

    Args:
        path: the Parquet file; an earlier one is replaced.
        table: as `sample_weights.WeightedRows.table`.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    make_folder(path.parent)
    with atomic_file(path) as temporary:
        table.write_parquet(temporary)


def publish_weights(store: Store, table: pl.DataFrame) -> None:
    """Put a table of weights into the warehouse, in place of an earlier one.

    Args:
        store: whose warehouse gets it.
        table: as `sample_weights.WeightedRows.table`.

    Raises:
        StoreError: another process writes, or the warehouse cannot be written.
        WriteError: the disk is full.
    """
    with writing(store) as writer:
        writer.connection.register("weighted_rows", table.to_arrow())
        writer.connection.execute(statements("model/weighting/publish"))
        writer.connection.unregister("weighted_rows")
