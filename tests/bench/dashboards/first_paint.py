"""How long a visitor waits for each page: `python -m tests.bench.dashboards.first_paint [STORE]`.

Without a store a small demo is made, with its model as champion. For each page a server of its own
is started, which takes "started"; "title" is when the first visitor of that server sees the page's
heading, "whole" when all of it is drawn; "again" is the whole page for a second visitor. Seconds;
needs Chromium.
"""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from data.store import Store
from data.terminal import print_json
from model.champion.succession import set_champion
from model.demo.run import run_demo
from model.demo.settings import MODEL
from tests.bench.dashboards.page_queries import PAGES
from tests.worlds.dashboards_server import BUSY, chromium, serving
from tests.worlds.small_demo import SMALL_DEMO, silence

_WITHIN = 180_000
_STILL = 300


def main() -> None:
    """Print a line of JSON a page."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Store(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "store")
        if not store.warehouse.is_file():
            run_demo(store, silence, SMALL_DEMO)
            set_champion(store, store.models / MODEL)
        browser = chromium(playwright)
        for name in PAGES:
            begun = time.perf_counter()
            with serving(store, Path(folder) / "log") as (address, _):
                started = round(time.perf_counter() - begun, 2)
                title, whole = _opened(browser, address, name)
                _, again = _opened(browser, address, name)
            found = {"started_s": started, "title_s": title, "whole_s": whole, "again_s": again}
            print_json({"page": name} | found)
        browser.close()


def _opened(browser: Browser, address: str, name: str) -> tuple[float, float]:
    """Seconds until the heading and until the whole page of a new visitor."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    begun = time.perf_counter()
    page.goto(f"{address}/{'' if name == 'overview' else name}")
    page.wait_for_selector("h1", timeout=_WITHIN)
    title = time.perf_counter() - begun
    # still for a moment: between two steps nothing says that the script runs
    page.wait_for_timeout(_STILL)
    page.wait_for_selector(BUSY, state="detached", timeout=_WITHIN)
    whole = time.perf_counter() - begun - _STILL / 1000
    page.close()
    return round(title, 2), round(max(title, whole), 2)


if __name__ == "__main__":
    main()
