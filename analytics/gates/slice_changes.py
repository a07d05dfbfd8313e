"""Slices of source rows in which a model's views have other shares where it is wrong."""

from collections.abc import Sequence

import duckdb
import polars as pl

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.gates.block_sums import Field
from analytics.gates.mean_gates import gate_groups

_SCHEMA: dict[str, type[pl.DataType]] = {
    **{"field": pl.String, "value": pl.String, "right": pl.Int64, "wrong": pl.Int64},
    **{"view": pl.Int64, "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64},
}


def slice_changes(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    fields: Sequence[Field],
    settings: BootstrapSettings = BootstrapSettings(),
) -> pl.DataFrame:
    """A row a slice and view: the mean share in right answers minus that in wrong ones.

    Args:
        connection: that `block_sums.stage_gates` prepared.
        run_id: a finished replay.
        fields: whose values are slices; challenges without a value are in none.
        settings: of the intervals, which hold for all views of a slice at once.

    Returns:
        `field`, `value`; `right` and `wrong`, the numbers of challenges answered so; `view` from 1;
        `difference`, 0 where there are no answers of one kind, and the ends of its interval, `low`
        and `high`, null where there are too few images.

    Raises:
        RunError: the numbers of views differ.
    """
    rows = [
        {
            "field": field,
            "value": group.value,
            "right": group.right,
            "wrong": group.wrong,
            "view": view.view,
            "difference": view.difference or 0.0,
            "low": None if view.interval is None else view.interval[0],
            "high": None if view.interval is None else view.interval[1],
        }
        for field in fields
        for group in gate_groups(connection, run_id, field, settings=settings)
        if group.value is not None
        for view in group.views
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
