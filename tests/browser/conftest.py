"""A demo's store with its model as champion, the dashboards' server on it, and Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from data.store import Store
from model.champion.succession import set_champion
from model.demo.run import run_demo
from model.demo.settings import MODEL
from tests.worlds.dashboards_server import browser_path, chromium, serving
from tests.worlds.small_demo import SMALL_DEMO, silence


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if browser_path() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = chromium(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("demo") / "store")
    run_demo(store, silence, SMALL_DEMO)
    set_champion(store, store.models / MODEL)
    return store


@pytest.fixture(scope="session")
def address(demo_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the dashboards of that store are served, in a process of their own."""
    with serving(demo_store, tmp_path_factory.mktemp("server") / "log") as (url, _):
        yield url
