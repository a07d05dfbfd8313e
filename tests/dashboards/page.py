"""A page of the dashboards as its tests open and read it."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

HOSTILE = "<script>alert(1)</script> **b** :red[x] $a$"


def the_page(name: str, **query: str) -> AppTest:
    """A page by the name of its file, opened with these parameters in its link."""
    app = AppTest.from_file(ROOT / "dashboards" / "streamlit_app.py", default_timeout=120)
    page = app.switch_page(f"app_pages/{name}.py")
    for key, value in query.items():
        page.query_params[key] = value
    return page.run()


def rendered(page: AppTest) -> str:
    """All of its text that is rendered as Markdown."""
    kinds = (
        *(page.markdown, page.caption, page.info, page.warning, page.error),
        *(page.header, page.subheader),
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def plain(page: AppTest) -> str:
    """All of its text that is shown as it is."""
    return "\n".join(str(element.value) for kind in (page.text, page.code) for element in kind)


def table(page: AppTest, column: str) -> pd.DataFrame:
    """Its first table with such a column."""
    frames: list[pd.DataFrame] = [shown.value for shown in page.dataframe]
    return next(frame for frame in frames if column in frame)
