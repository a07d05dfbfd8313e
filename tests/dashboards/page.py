"""A page as its tests open, read and press it."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

HOSTILE = "<script>alert(1)</script> **b** :red[x] $a$"
"""What a log may hold: to be shown as text, never as HTML, Markdown or LaTeX."""


def the_page(name: str, **link: str) -> AppTest:
    """A page by its file's name, run once, with the parameters of a link if there are some."""
    app = AppTest.from_file(ROOT / "dashboards" / "navigation.py", default_timeout=300)
    for key, value in link.items():
        app.query_params[key] = value
    return app.switch_page(f"app_pages/{name}.py").run()


def rendered(page: AppTest) -> str:
    """All text that is rendered as Markdown."""
    kinds = (
        *(page.markdown, page.caption, page.info, page.warning, page.error, page.success),
        *(page.title, page.header, page.subheader),
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def plain(page: AppTest) -> str:
    """All text that is shown as it is."""
    return "\n".join(str(element.value) for kind in (page.text, page.code) for element in kind)


def tables(page: AppTest) -> list[pd.DataFrame]:
    return [element.value for element in page.dataframe]


def table(page: AppTest, column: str) -> pd.DataFrame:
    """The first table that has a column of this name."""
    return next(frame for frame in tables(page) if column in frame)


def metric(page: AppTest, label: str) -> str:
    return next(str(element.value) for element in page.metric if element.label == label)


def charts(page: AppTest) -> int:
    """How many charts of Altair there are."""
    return sum(len(page.get(kind)) for kind in ("arrow_vega_lite_chart", "vega_lite_chart"))


def press(page: AppTest, key: str) -> AppTest:
    """Press the first button whose key begins so, and run the page again."""
    return next(button for button in page.button if str(button.key).startswith(key)).click().run()
