"""The SQL page: any question to the store, read-only, with its relations and some examples."""

import streamlit as st

from analytics.queries.bounded_query import QueryBounds
from analytics.queries.example_queries import example_queries
from dashboards.parts import query_result, store_access
from dashboards.parts.page_head import draw_page_head

_BOUNDS = QueryBounds()
_FIRST = "Challenges by era, source and label"


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "SQL",
        "Any question to the store, in DuckDB's SQL. It is read-only: nothing can be written, and "
        f"no file can be reached. The first {_BOUNDS.rows:,} rows are shown; a query ends after "
        f"{_BOUNDS.seconds:.0f} seconds.",
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        version = store_access.warehouse_version(store)
        _draw_relations(version)
        sql = _asked()
        if sql:
            query_result.draw_query_result(version, sql, _BOUNDS)


def _asked() -> str:
    """The query that is asked: of the link that opened the page, until another is run."""
    examples = example_queries()
    if "sql" not in st.session_state:
        st.session_state["sql"] = st.query_params.get("sql", examples[_FIRST])
    st.selectbox(
        "Begin with an example",
        list(examples),
        index=None,
        placeholder="choose one to put it into the editor",
        key="example",
        on_change=_take_example,
    )
    with st.form("query"):
        st.text_area("Query", key="sql", height=200)
        if st.form_submit_button("Run", type="primary", icon=":material/play_arrow:"):
            st.query_params["sql"] = st.session_state["sql"]
    st.caption("The link of this page holds the query that was run.")
    return st.query_params.get("sql", "").strip()


def _take_example() -> None:
    title = st.session_state["example"]
    if title is not None:
        st.session_state["sql"] = example_queries()[title]
        st.query_params["sql"] = st.session_state["sql"]


def _draw_relations(version: store_access.Version) -> None:
    relations = store_access.relation_columns(version)
    with st.expander(f"{len(relations)} relations and their columns"):
        by_name = {relation.name: relation for relation in relations}
        name = st.selectbox("Relation", list(by_name), index=list(by_name).index("media"))
        columns = by_name[name].columns
        st.dataframe(
            {
                "Column": [column.name for column in columns],
                "Type": [column.type for column in columns],
            },
            hide_index=True,
            height="content" if len(columns) < 20 else 400,  # noqa: PLR2004
        )


draw_page()
