"""The result of a query: table, chart and downloads."""

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Number
from typing import Any, Literal

import altair as alt
import pandas as pd
import streamlit as st

from analytics.queries.bounded_query import (
    FirstRows,
    QueryBounds,
    result_as_csv,
    result_as_parquet,
    rows_as_csv,
    table_as_parquet,
)
from dashboards.parts import store_access
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.page_connection import query_turn
from data.store import Store
from data.text import printable

# Characters of one value that are shown; a download has all.
_SHOWN_CHARACTERS = 1_000
_MARKS: tuple[Literal["bar", "line", "point"], ...] = ("bar", "line", "point")


def draw_query_result(version: store_access.Version, sql: str, bounds: QueryBounds) -> None:
    """Run a query, and draw what it gives."""
    result = store_access.first_rows(version, sql, bounds)
    if not result.columns:
        st.info("This query gives no rows: it holds no statement.")
        return
    st.markdown(_summary(result, bounds))
    names = [printable(name, 100) for name in result.columns]
    columns = [_shown_column([row[index] for row in result.rows]) for index in range(len(names))]
    frame = pd.DataFrame(dict(enumerate(columns)))
    # afterwards: two names may be alike once they are cut
    frame.columns = pd.Index(names)
    st.dataframe(frame, hide_index=True, placeholder="NULL", width="stretch")
    _draw_downloads(version, sql, result, bounds)
    _draw_chart(result)


def _summary(result: FirstRows, bounds: QueryBounds) -> str:
    count = (
        f"the first {bounds.rows:,} rows of more" if result.more else f"{len(result.rows):,} rows"
    )
    return f"**{count}**, {len(result.columns)} columns, in {result.seconds:.2f} s"


def _shown_column(values: Sequence[object]) -> list[object]:
    """Values that a table can show: numbers and times as they are, else their text."""
    # a table has 64 bits for a whole number, DuckDB up to 128
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in values):
        return [None if value is None else str(value) for value in values]
    return [_shown(value) for value in values]


def _shown(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)) or hasattr(value, "isoformat"):
        return value
    return printable(str(value), _SHOWN_CHARACTERS)


def _in_turn(
    as_file: Callable[[Store, str, QueryBounds], bytes], store: Store, sql: str, bounds: QueryBounds
) -> bytes:
    with query_turn():
        return as_file(store, sql, bounds)


def _draw_downloads(
    version: store_access.Version, sql: str, result: FirstRows, bounds: QueryBounds
) -> None:
    whole = result.whole
    as_csv = partial(_in_turn, result_as_csv, version.store, sql, bounds)
    as_parquet = partial(_in_turn, result_as_parquet, version.store, sql, bounds)
    if whole is not None:
        as_csv = partial(rows_as_csv, result, bounds)
        as_parquet = partial(table_as_parquet, whole, bounds)
    with st.container(horizontal=True):
        st.download_button("CSV, all rows", as_csv, "result.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Parquet, all rows",
            as_parquet,
            "result.parquet",
            "application/vnd.apache.parquet",
            on_click="ignore",
        )
    if whole is None:
        st.caption("More rows than are shown: for a file the query runs again, to its end.")


def _draw_chart(result: FirstRows) -> None:
    numbers = [index for index in range(len(result.columns)) if _is_number(result, index)]
    if not numbers or len(result.rows) < 2:  # noqa: PLR2004
        return
    with st.expander("Chart of the rows shown"):
        across, up, kind = st.columns(3)
        names = [printable(name, 60) for name in result.columns]
        x = across.selectbox("Across", range(len(names)), format_func=names.__getitem__)
        y = up.selectbox("Up", numbers, index=len(numbers) - 1, format_func=names.__getitem__)
        mark = kind.selectbox("Drawn as", _MARKS)
        chart = _chart(result, x, y, names)
        draw_chart(getattr(chart, f"mark_{mark}")(), "Two columns of the result.")


def _is_number(result: FirstRows, index: int) -> bool:
    values = [row[index] for row in result.rows if row[index] is not None]
    return bool(values) and all(
        isinstance(value, Number) and not isinstance(value, bool) for value in values
    )


def _chart(result: FirstRows, x: int, y: int, names: Sequence[str]) -> alt.Chart:
    # by position: a column's name may hold what Vega takes for a path
    values = [row[x] for row in result.rows]
    kind: Literal["temporal", "quantitative", "nominal"] = "nominal"
    if _is_number(result, x):
        kind, values = "quantitative", _floats(values)
    elif all(hasattr(value, "isoformat") for value in values):
        kind = "temporal"
    else:
        values = [_shown(value) for value in values]
    frame = pd.DataFrame({"x": values, "y": _floats([row[y] for row in result.rows])})
    return alt.Chart(frame).encode(
        alt.X("x", type=kind, title=names[x], sort=None),
        alt.Y("y", type="quantitative", title=names[y]),
    )


def _floats(values: Sequence[Any]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]
