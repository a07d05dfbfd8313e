"""The page Retraining as its tests open, read and press it."""

import time
from collections.abc import Callable

import pandas as pd
from streamlit.testing.v1 import AppTest

from data.background.process import State
from data.store import Store
from model.retraining.background import last_retraining
from tests.conftest import ROOT


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.02)


def the_page() -> AppTest:
    app = AppTest.from_file(ROOT / "dashboards" / "streamlit_app.py", default_timeout=60)
    return app.switch_page("app_pages/retraining.py").run()


def rendered(page: AppTest) -> str:
    kinds = (
        *(page.markdown, page.caption, page.info, page.warning, page.error),
        *(page.header, page.subheader),
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def plain(page: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (page.text, page.code) for element in kind)


def table(page: AppTest, column: str) -> pd.DataFrame:
    frames: list[pd.DataFrame] = [shown.value for shown in page.dataframe]
    return next(frame for frame in frames if column in frame)


def press(page: AppTest, key: str) -> AppTest:
    return next(button for button in page.button if str(button.key).startswith(key)).click().run()


def state(store: Store) -> State:
    last = last_retraining(store)
    assert last is not None
    return last.process.state
