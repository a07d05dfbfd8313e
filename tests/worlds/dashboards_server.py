"""The dashboards' server on a store, and Debian's Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Playwright

from data.store import STORE_VARIABLE, Store
from tests.conftest import ROOT

BUSY = "[data-testid=stStatusWidget], [data-testid=stSpinner]"
"""What Streamlit draws while a page's script runs."""

_STARTS_WITHIN = 300
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Where Chromium is; None where it is not installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def chromium(playwright: Playwright) -> Browser:
    """Chromium without a window."""
    return playwright.chromium.launch(
        executable_path=browser_path(),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    )


@contextmanager
def serving(store: Store, log: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the dashboards of a store while the block runs: their address, and the process.

    Args:
        store: that pages show.
        log: the file that takes the server's output.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboards", "--server.headless", "true"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, STORE_VARIABLE: str(store.root)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the dashboards' server did not start: {log.read_text()}")
