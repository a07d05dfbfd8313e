"""The server's memory when five visitors open every page at once, on a store of many challenges.

`python -m tests.bench.dashboards.five_sessions [CHALLENGES] [STORE]`; needs Chromium.
"""

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from data.store import Store
from data.terminal import print_json
from tests.bench.dashboards.page_queries import CHALLENGES, PAGES, made
from tests.worlds.dashboards_server import BUSY, chromium, serving

SESSIONS = 5
_MEBIBYTE = 1024 * 1024
_WITHIN = 180_000


def main() -> None:
    """Print one line of JSON."""
    challenges = int(sys.argv[1]) if len(sys.argv) > 1 else CHALLENGES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(sys.argv[2] if len(sys.argv) > 2 else folder)
        made(root, challenges)
        with serving(Store(root), Path(folder) / "log") as (address, server):
            before = server.memory_info().rss
            with _Peak(server) as peak, ThreadPoolExecutor(SESSIONS) as visitors:
                seconds = list(
                    visitors.map(lambda number: _visit(address, number), range(SESSIONS))
                )
    print_json(
        {
            "challenges": challenges,
            "sessions": SESSIONS,
            "pages": len(PAGES),
            "started_mb": round(before / _MEBIBYTE),
            "peak_mb": round(peak[0] / _MEBIBYTE),
            "longest_visit_s": round(max(seconds), 1),
        }
    )


def _visit(address: str, number: int) -> float:
    """Open every page, each visitor beginning with another one."""
    begun = time.perf_counter()
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page()
        for name in PAGES[number:] + PAGES[:number]:
            page.goto(f"{address}/{'' if name == 'overview' else name}")
            page.wait_for_selector("h1", timeout=_WITHIN)
            page.wait_for_timeout(500)
            page.wait_for_selector(BUSY, state="detached", timeout=_WITHIN)
        browser.close()
    return time.perf_counter() - begun


class _Peak:
    """The most memory that a process holds while the block runs, looked at 20 times a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._found, self._done = process, [0], threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.wait(0.05):
            self._found[0] = max(self._found[0], self._process.memory_info().rss)

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._found

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


if __name__ == "__main__":
    main()
