"""A page opened in a browser's window, and what went wrong on the way."""

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocketRoute, expect

from tests.browser.script_runs import ScriptRuns
from tests.worlds.dashboards_server import BUSY

# milliseconds after which a test gives up
_WITHIN = 180_000

# what was received is drawn: the window has nothing left to do
_DRAWN = "() => new Promise(done => requestIdleCallback(done, {timeout: 10000}))"
_LOOK_EVERY = 20


class Visit:
    """A page opened in a window of a width, and what went wrong on the way."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        name: str,
        width: int,
        *,
        height: int = 1000,
        route: Callable[[WebSocketRoute], None] | None = None,
    ) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        if route is not None:
            self.page.route_web_socket("**/_stcore/stream", route)
        self.page.set_default_timeout(_WITHIN)
        self.console: list[str] = []
        self.outside: list[str] = []
        self._runs = ScriptRuns(self.page)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(f"{address}/{'' if name == 'overview' else name}")
        self.page.wait_for_selector("h1")
        self.wait()

    def wait(self) -> None:
        """Until the page's script has run to its end, and what it drew is shown."""
        end = time.monotonic() + _WITHIN / 1000
        while not self._runs.at_rest:
            assert time.monotonic() < end, f"the page's script is still at work: {self.page.url}"
            self.page.wait_for_timeout(_LOOK_EVERY)
        self.page.evaluate(_DRAWN)
        expect(self.page.locator(BUSY)).to_have_count(0, timeout=_WITHIN)

    def _hear(self, line: ConsoleMessage) -> None:
        # Streamlit asks below a page's own address first whether its server is there
        if line.type == "error" and "/_stcore/" not in line.location["url"]:
            self.console.append(f"{line.text} {line.location['url']}")

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "localhost":
            self.outside.append(url)

    def choose(self, label: str, option: str) -> None:
        """Choose the first option with this text in a selectbox."""
        field = self.page.get_by_label(label, exact=True).first
        # charts above are drawn as they come into view, which moves the field from under a click
        field.scroll_into_view_if_needed()
        self.wait()
        field.focus()
        self.page.keyboard.press("ArrowDown")
        self.page.get_by_role("option").filter(has_text=option).first.click()
        expect(field).to_have_value(re.compile(re.escape(option)), timeout=_WITHIN)
        self.wait()

    def expect_in_link(self, parameter: str, value: str = "") -> None:
        """Wait until the page's link holds a parameter, whose value begins so."""
        self.page.wait_for_url(
            lambda url: any(found.startswith(value) for found in _values(url, parameter))
        )

    def expect_not_in_link(self, parameter: str) -> None:
        """Wait until the page's link holds no such parameter."""
        self.page.wait_for_url(lambda url: not _values(url, parameter))

    def text(self) -> str:
        """All that the page shows."""
        return str(self.page.locator("[data-testid=stMain]").inner_text())

    def close(self) -> None:
        """Close it; nothing may have gone wrong."""
        self.wait()
        assert not self.page.locator("[data-testid=stException]").count(), self.text()
        assert (self.console, self.outside) == ([], [])
        self.page.close()


def _values(url: str, parameter: str) -> list[str]:
    return parse_qs(urlsplit(url).query).get(parameter, [])
